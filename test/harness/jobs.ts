import type { Job, JobType } from 'bullmq';
import type { EmissionQueues } from '../../src/queue/open-queues.ts';

/** Reads the jobs of both queues. */
export function createJobs({ live, bulk }: EmissionQueues) {
  const both = [live, bulk];
  const get = async (emissionId: string): Promise<Job | undefined> =>
    ((await live.getJob(emissionId)) ?? (await bulk.getJob(emissionId))) as Job | undefined;

  return {
    get,
    /** BullMQ's state; `unknown` if there is no such job. */
    async stateOf(emissionId: string): Promise<string> {
      const states = await Promise.all(both.map((queue) => queue.getJobState(emissionId)));
      return states.find((state) => state !== 'unknown') ?? 'unknown';
    },
    async in(...states: JobType[]): Promise<Job[]> {
      return (await Promise.all(both.map((queue) => queue.getJobs(states)))).flat() as Job[];
    },
    async count(...states: JobType[]): Promise<number> {
      const counts = await Promise.all(both.map((queue) => queue.getJobCountByTypes(...states)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    drain: () => Promise.all(both.map((queue) => queue.drain())),
    pause: () => Promise.all(both.map((queue) => queue.pause())),
    resume: () => Promise.all(both.map((queue) => queue.resume())),
  };
}
