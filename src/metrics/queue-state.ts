import type { QueueState } from '@appointment-emissions/contracts';

export type QueueStates = Record<'live' | 'bulk', QueueState>;

/** The getter of BullMQ's Queue that returns the queue's settings. */
export interface QueueMetaReader {
  getMeta: () => Promise<{ paused?: boolean; concurrency?: number; max?: number; duration?: number }>;
}

/** Reads the restrictions that operators or scripts set on both queues for the whole fleet. @throws if Redis is unavailable */
export async function readQueueStates({
  live,
  bulk,
}: Record<'live' | 'bulk', QueueMetaReader>): Promise<QueueStates> {
  const [liveState, bulkState] = await Promise.all([readQueueState(live), readQueueState(bulk)]);
  return { live: liveState, bulk: bulkState };
}

async function readQueueState(queue: QueueMetaReader): Promise<QueueState> {
  const { paused = false, concurrency = null, max, duration = 0 } = await queue.getMeta();
  return { paused, concurrency, rateLimit: max === undefined ? null : { max, durationMs: duration } };
}

export interface Restriction {
  queue: 'live' | 'bulk';
  kind: 'paused' | 'concurrency' | 'rate limit';
  /** What restricts the queue and how to end it, for the operator. */
  words: string;
}

/** The restrictions for which jobs wait although workers run. */
export function restrictionsOf(states: QueueStates): Restriction[] {
  return (['live', 'bulk'] as const).flatMap((queue) => {
    const { paused, concurrency, rateLimit } = states[queue];
    const found: Restriction[] = [];
    if (paused)
      found.push({
        queue,
        kind: 'paused',
        words: `the ${queue} queue is paused: its jobs wait; resume it on /admin/queues, or with queue.resume()`,
      });
    if (concurrency !== null)
      found.push({
        queue,
        kind: 'concurrency',
        words: `the ${queue} queue runs ${concurrency} jobs at once at most, in the whole fleet: end it with queue.removeGlobalConcurrency()`,
      });
    if (rateLimit !== null)
      found.push({
        queue,
        kind: 'rate limit',
        words: `the ${queue} queue starts ${rateLimit.max} jobs in ${rateLimit.durationMs} ms at most: end it with queue.removeGlobalRateLimit()`,
      });
    return found;
  });
}
