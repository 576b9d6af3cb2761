import type { Queue } from 'bullmq';
import type { RepairReport } from '../contracts/operator.ts';
import type { RedisClient } from '../connections.ts';
import { luaScript } from '../redis-script.ts';
import { slicesOf } from '../slices.ts';
import type { FailedEmissions, FailedRange } from './failed-emissions.ts';

export interface RetryDeps {
  redis: RedisClient;
  queue: Queue;
  failed: FailedEmissions;
  /** Where many retried jobs stand in the line. */
  priority: number;
}

const JOBS_AT_ONCE = 100;
const SHOWN = 20;
const lowerPriorityScript = luaScript(new URL('./lower-priority.lua', import.meta.url));

/** Puts failed jobs back into the queue, with all their attempts. They pass the order check like any other. */
export function createRetry({ redis, queue, failed, priority }: RetryDeps) {
  async function again(emissionId: string): Promise<boolean> {
    const job = await queue.getJob(emissionId);
    if (!job?.finishedOn || !job.failedReason) return false;
    try {
      await job.retry('failed', { resetAttemptsMade: true });
      return true;
    } catch (error) {
      // Somebody else was quicker, or it is no longer kept.
      if (!(await job.isFailed())) return false;
      throw error;
    }
  }

  return {
    /** Retries one, ahead of batches. False where no failed emission of this id is kept. */
    one: again,

    /** Retries what failed in a range of time, oldest first, after live bookings and batches. */
    async all(
      range: FailedRange,
      { limit, dryRun }: { limit: number; dryRun: boolean },
    ): Promise<RepairReport> {
      const { found, matched } = await failed.inRange(range, limit);
      let repaired = dryRun ? found.length : 0;
      for (const slice of slicesOf(dryRun ? [] : found, JOBS_AT_ONCE)) {
        const ids = slice.map(({ emissionId }) => emissionId);
        // BullMQ's own changePriority walks the whole waiting list for each job.
        const keys = ids.map((id) => queue.toKey(id));
        await lowerPriorityScript(redis, keys, [priority]);
        repaired += (await Promise.all(ids.map(again))).filter(Boolean).length;
      }
      const emissions = found
        .slice(0, SHOWN)
        .map(({ emissionId, event, appointmentId }) => ({ emissionId, event, appointmentId }));
      return { dryRun, matched, repaired, emissions };
    },
  };
}

export type Retry = ReturnType<typeof createRetry>;
