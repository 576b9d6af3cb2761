import type { Queue } from 'bullmq';
import type { WorkerCoreConfig } from '../src/config.ts';
import { errorMessage } from '../src/errors.ts';
import { KEPT_JOBS } from '../src/queue/retry-policy.ts';
import type { Resources } from '../src/resources/open-resources.ts';

const CHECK_EVERY_MS = 60_000;
const MAX_REMOVED = 1_000;

/**
 * Removes the last shard from the number in Redis if this process does not use it and it has no jobs, finished ones included. BullMQ
 * removes finished jobs only when another job ends, so they are removed here by their age.
 */
export function retireShards({ shards, lifecycle, logger }: Resources<WorkerCoreConfig>): void {
  async function check(): Promise<void> {
    const last = shards.lastUnused();
    if (!last) return;
    const left = await Promise.all([last.live, last.bulk].map(removeOldJobs));
    if (left.some((jobs) => jobs > 0)) return;
    if (await shards.retire(last)) logger.info({ shard: last.index }, 'shard retired');
  }

  const timer = setInterval(() => {
    check().catch((error: unknown) => {
      logger.debug({ error: errorMessage(error) }, 'the last shard was not checked');
    });
  }, CHECK_EVERY_MS);
  lifecycle.onClose('unused shards', () => {
    clearInterval(timer);
  });
}

/** Resolves to the number of jobs that are left. */
async function removeOldJobs(queue: Queue): Promise<number> {
  await queue.clean(KEPT_JOBS.removeOnComplete.age * 1_000, MAX_REMOVED, 'completed');
  await queue.clean(KEPT_JOBS.removeOnFail.age * 1_000, MAX_REMOVED, 'failed');
  const counts = await queue.getJobCounts();
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
