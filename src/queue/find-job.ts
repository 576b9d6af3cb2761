import type { Job, Queue } from 'bullmq';
import type { ReportDamage } from '../process/damaged-data.ts';
import { isWrongType } from '../redis/redis-errors.ts';
import type { Shard } from './shards.ts';

/** Finds an emission's job in any queue. */
export type FindJob = (emissionId: string) => Promise<Job | undefined>;

/**
 * A job that a repair moves is in both queues for a moment. A job that cannot be read counts as none, and is reported.
 * @throws if it was not found and a queue cannot be read
 */
export function createFindJob(shards: () => readonly Shard[], reportDamage: ReportDamage): FindJob {
  async function find(queue: Queue, id: string): Promise<Job | undefined> {
    try {
      const job = (await queue.getJob(id)) as (Omit<Job, 'name'> & { name?: string }) | undefined;
      // The queue's settings are a hash with the same prefix as the jobs.
      return job?.name === undefined ? undefined : (job as Job);
    } catch (error) {
      // The queue's own lists and sets have the same prefix as the jobs: an id can name one of them.
      if (isWrongType(error)) return undefined;
      // BullMQ parses fields of the job itself.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      reportDamage('job', { key: queue.toKey(id) });
      return undefined;
    }
  }

  return async (emissionId) => {
    const queues = shards().flatMap(({ live, bulk }) => [bulk, live]);
    const results = await Promise.allSettled(queues.map((queue) => find(queue, emissionId)));
    const jobs = results.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []));
    if (jobs[0]) return jobs[0];
    // A shard that cannot be read may have it.
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return undefined;
  };
}
