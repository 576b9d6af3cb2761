import type { Job, Queue } from 'bullmq';
import type { RepairReport } from '@appointment-emissions/contracts';
import { chunks } from '../batching.ts';
import type { BulkPacer } from '../process/bulk-pacer.ts';
import type { FailedEmissions, FailedRange } from './failed-emissions.ts';

export interface RetryDeps {
  /** All shards. */
  shards: () => readonly { live: Queue; bulk: Queue }[];
  /** Finds the job of an emission in any queue. */
  findJob: (emissionId: string) => Promise<Job | undefined>;
  failed: FailedEmissions;
  /** BullMQ priority of retried jobs in the bulk queue. */
  priority: number;
  /** Makes each slice yield to live emissions. */
  pacer: Pick<BulkPacer, 'bulk'>;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** Live jobs run between two slices. */
const JOBS_AT_ONCE = 25;
const SHOWN = 20;

/** Enqueues failed jobs again, with all their attempts. They pass the order check as usual. */
export function createRetry({ shards, findJob, failed, priority, pacer, now }: RetryDeps) {
  async function findFailed(emissionId: string) {
    const job = await findJob(emissionId);
    return job?.finishedOn && job.failedReason ? job : undefined;
  }

  async function retryInPlace(emissionId: string): Promise<boolean> {
    const job = await findFailed(emissionId);
    if (!job) return false;
    try {
      await job.retry('failed', { resetAttemptsMade: true });
      return true;
    } catch (error) {
      // Another repair was faster, or the job is no longer kept.
      if (!(await job.isFailed())) return false;
      throw error;
    }
  }

  /** Retries a job in the bulk queue of its shard, so that live jobs do not wait for it. */
  async function retryInBulk(emissionId: string): Promise<boolean> {
    const job = await findFailed(emissionId);
    const queues = shards().find(({ live }) => live.name === job?.queueName);
    if (!job || !queues) return retryInPlace(emissionId);
    // A process that ends here leaves the failed job; the next repair adds the same job id again.
    await queues.bulk.add(job.name, job.data, { ...job.opts, jobId: emissionId, priority, timestamp: now() });
    // If it was retried meanwhile, the newest state is emitted twice.
    await job.remove().catch(() => undefined);
    return true;
  }

  return {
    /** Retries one emission in the queue that it failed in. False if no failed emission has this id. */
    one: retryInPlace,

    /** Retries emissions that failed in a period, oldest first, in the bulk queue. */
    async all(
      range: FailedRange,
      { limit, dryRun }: { limit: number; dryRun: boolean },
    ): Promise<RepairReport> {
      const { found, matched, leftOut } = await failed.inRange(range, limit);
      let repaired = dryRun ? found.length : 0;
      for (const slice of chunks(dryRun ? [] : found, JOBS_AT_ONCE)) {
        const done = await pacer.bulk(() =>
          Promise.all(slice.map(({ emissionId }) => retryInBulk(emissionId))),
        );
        repaired += done.filter(Boolean).length;
      }
      const emissions = found
        .slice(0, SHOWN)
        .map(({ emissionId, event, appointmentId }) => ({ emissionId, event, appointmentId }));
      return { dryRun, matched, repaired, leftOut, emissions };
    },
  };
}

export type Retry = ReturnType<typeof createRetry>;
