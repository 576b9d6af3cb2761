import { QUEUES, type QueueState } from '@appointment-emissions/contracts';
import { readShards } from './queue-depth.ts';

export type QueueStates = Record<'live' | 'bulk', QueueState>;
export interface ShardStates {
  shard: number;
  states: QueueStates;
}

/** The getter of BullMQ's Queue that returns the queue's settings. */
export interface QueueMetaReader {
  getMeta: () => Promise<{ paused?: boolean; concurrency?: number; max?: number; duration?: number }>;
}

/**
 * Reads the restrictions that operators or scripts set on queues for the whole fleet. Shards that cannot be read are left out.
 * @throws if none can be read
 */
export async function readQueueStates(
  shards: readonly Record<'live' | 'bulk', QueueMetaReader>[],
): Promise<ShardStates[]> {
  const read = await readShards(shards, async ({ live, bulk }) => {
    const [liveState, bulkState] = await Promise.all([readQueueState(live), readQueueState(bulk)]);
    return { live: liveState, bulk: bulkState };
  });
  return read.flatMap((states, shard) => (states ? { shard, states } : []));
}

async function readQueueState(queue: QueueMetaReader): Promise<QueueState> {
  const { paused = false, concurrency = null, max, duration = 0 } = await queue.getMeta();
  return { paused, concurrency, rateLimit: max === undefined ? null : { max, durationMs: duration } };
}

/** The states of all shards together: a queue is restricted if it is in one of them. */
export function mergeStates(shards: readonly ShardStates[]): QueueStates {
  const merge = (queue: keyof QueueStates): QueueState => {
    const states = shards.map(({ states }) => states[queue]);
    return {
      paused: states.some(({ paused }) => paused),
      concurrency: states.find(({ concurrency }) => concurrency !== null)?.concurrency ?? null,
      rateLimit: states.find(({ rateLimit }) => rateLimit !== null)?.rateLimit ?? null,
    };
  };
  return { live: merge('live'), bulk: merge('bulk') };
}

export interface Restriction {
  queue: 'live' | 'bulk';
  shard: number;
  kind: 'paused' | 'concurrency' | 'rate limit';
  /** What restricts the queue and how to end it, for the operator. */
  words: string;
}

/** The restrictions for which jobs wait although workers run. */
export function restrictionsOf(shards: readonly ShardStates[]): Restriction[] {
  return shards.flatMap(({ shard, states }) =>
    QUEUES.flatMap((queue) =>
      describeState(shard === 0 ? `${queue} queue` : `${queue} queue of shard ${shard}`, states[queue]).map(
        (found) => ({ queue, shard, ...found }),
      ),
    ),
  );
}

function describeState(
  name: string,
  { paused, concurrency, rateLimit }: QueueState,
): Pick<Restriction, 'kind' | 'words'>[] {
  const found: Pick<Restriction, 'kind' | 'words'>[] = [];
  if (paused)
    found.push({
      kind: 'paused',
      words: `the ${name} is paused: its jobs wait; resume it on /admin/queues, or with npm run emissions -- queue resume`,
    });
  if (concurrency !== null)
    found.push({
      kind: 'concurrency',
      words: `the ${name} runs at most ${concurrency} jobs at once in the whole fleet: remove the limit with queue.removeGlobalConcurrency()`,
    });
  if (rateLimit !== null)
    found.push({
      kind: 'rate limit',
      words: `the ${name} starts at most ${rateLimit.max} jobs in ${rateLimit.durationMs} ms: remove the limit with queue.removeGlobalRateLimit()`,
    });
  return found;
}
