import type { Job, JobType } from 'bullmq';
import type { EmissionQueues } from '../../src/queue/open-queues.ts';

/** Reads the jobs of all queues. */
export function createJobs(shards: readonly EmissionQueues[]) {
  const all = shards.flatMap(({ live, bulk }) => [live, bulk]);
  const get = async (emissionId: string): Promise<Job | undefined> => {
    const found = await Promise.all(all.map((queue) => queue.getJob(emissionId)));
    return found.find((job) => job !== undefined) as Job | undefined;
  };

  return {
    get,
    /** BullMQ's state; `unknown` if there is no such job. */
    async stateOf(emissionId: string): Promise<string> {
      const states = await Promise.all(all.map((queue) => queue.getJobState(emissionId)));
      return states.find((state) => state !== 'unknown') ?? 'unknown';
    },
    async in(...states: JobType[]): Promise<Job[]> {
      return (await Promise.all(all.map((queue) => queue.getJobs(states)))).flat() as Job[];
    },
    async count(...states: JobType[]): Promise<number> {
      const counts = await Promise.all(all.map((queue) => queue.getJobCountByTypes(...states)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    drain: () => Promise.all(all.map((queue) => queue.drain())),
    pause: () => Promise.all(all.map((queue) => queue.pause())),
    resume: () => Promise.all(all.map((queue) => queue.resume())),
  };
}
