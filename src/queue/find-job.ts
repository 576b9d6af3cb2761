import type { Job, Queue } from 'bullmq';
import type { EmissionQueues } from './open-queues.ts';

/** An emission's job, in whichever queue it stands. One that a repair moves stands in both for a moment. @throws when Redis is away */
export async function findJob({ live, bulk }: EmissionQueues, emissionId: string): Promise<Job | undefined> {
  const [moved, job] = await Promise.all([find(bulk, emissionId), find(live, emissionId)]);
  return moved ?? job;
}

async function find(queue: Queue, id: string): Promise<Job | undefined> {
  try {
    const job = (await queue.getJob(id)) as (Omit<Job, 'name'> & { name?: string }) | undefined;
    // The queue's settings are a hash beside the jobs' ones.
    return job?.name === undefined ? undefined : (job as Job);
  } catch (error) {
    // Jobs stand beside the queue's own lists and sets: an id may name one of those.
    if (error instanceof Error && error.message.includes('WRONGTYPE')) return undefined;
    throw error;
  }
}
