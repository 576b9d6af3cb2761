import type { Job, Queue } from 'bullmq';
import type { ReportDamage } from '../process/damaged-data.ts';
import { isWrongType } from '../redis/redis-errors.ts';
import type { EmissionQueues } from './open-queues.ts';

/** Finds an emission's job in either queue. */
export type FindJob = (emissionId: string) => Promise<Job | undefined>;

/**
 * A job that a repair moves is in both queues for a moment. A job that cannot be read counts as none, and is reported.
 * @throws if Redis is unavailable
 */
export function createFindJob({ live, bulk }: EmissionQueues, reportDamage: ReportDamage): FindJob {
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
    const [moved, job] = await Promise.all([find(bulk, emissionId), find(live, emissionId)]);
    return moved ?? job;
  };
}
