import type { Job, Queue } from 'bullmq';
import type { RepairReport } from '@appointment-emissions/contracts';
import { chunks } from '../batching.ts';
import type { FailedEmissions, FailedRange } from './failed-emissions.ts';

export interface RetryDeps {
  queues: { live: Queue; bulk: Queue };
  /** An emission's job, in whichever of them it stands. */
  findJob: (emissionId: string) => Promise<Job | undefined>;
  failed: FailedEmissions;
  /** Where many retried jobs stand in the line. */
  priority: number;
  /** Awaited before each slice. */
  letLiveFirst: () => Promise<void>;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** Live bookings come in between. */
const JOBS_AT_ONCE = 25;
const SHOWN = 20;

/** Puts failed jobs back into a queue, with all their attempts. They pass the order check like any other. */
export function createRetry({ queues, findJob, failed, priority, letLiveFirst, now }: RetryDeps) {
  async function findFailed(emissionId: string) {
    const job = await findJob(emissionId);
    return job?.finishedOn && job.failedReason ? job : undefined;
  }

  async function again(emissionId: string): Promise<boolean> {
    const job = await findFailed(emissionId);
    if (!job) return false;
    try {
      await job.retry('failed', { resetAttemptsMade: true });
      return true;
    } catch (error) {
      // Somebody else was quicker, or it is no longer kept.
      if (!(await job.isFailed())) return false;
      throw error;
    }
  }

  /** As `again`, but live bookings do not wait for it. */
  async function againInBulk(emissionId: string): Promise<boolean> {
    const job = await findFailed(emissionId);
    if (job?.queueName !== queues.live.name) return again(emissionId);
    // Who dies in between leaves a failed job, which another repair takes for the same one.
    await queues.bulk.add(job.name, job.data, { ...job.opts, jobId: emissionId, priority, timestamp: now() });
    // Whoever took it up meanwhile emits the newest state once more.
    await job.remove().catch(() => undefined);
    return true;
  }

  return {
    /** Retries one, in the queue that it failed in. False where no failed emission of this id is kept. */
    one: again,

    /** Retries what failed in a range of time, oldest first, after live bookings. */
    async all(
      range: FailedRange,
      { limit, dryRun }: { limit: number; dryRun: boolean },
    ): Promise<RepairReport> {
      const { found, matched, leftOut } = await failed.inRange(range, limit);
      let repaired = dryRun ? found.length : 0;
      for (const slice of chunks(dryRun ? [] : found, JOBS_AT_ONCE)) {
        await letLiveFirst();
        const done = await Promise.all(slice.map(({ emissionId }) => againInBulk(emissionId)));
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
