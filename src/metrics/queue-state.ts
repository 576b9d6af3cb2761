import type { QueueState } from '@appointment-emissions/contracts';
import type { QueueKeys } from './queue-depth.ts';
import type { RedisClient } from '../redis/connect.ts';

export type QueueStates = Record<'live' | 'bulk', QueueState>;

const FIELDS = ['paused', 'concurrency', 'max', 'duration'] as const;

/** What an operator or a script has set on both queues, in Redis, for the whole fleet. @throws when Redis is away */
export async function readQueueStates(
  redis: Pick<RedisClient, 'hmget'>,
  { live, bulk }: Record<'live' | 'bulk', QueueKeys>,
): Promise<QueueStates> {
  const [one, other] = await Promise.all([readQueueState(redis, live), readQueueState(redis, bulk)]);
  return { live: one, bulk: other };
}

async function readQueueState(redis: Pick<RedisClient, 'hmget'>, queue: QueueKeys): Promise<QueueState> {
  const [paused, concurrency, max, duration] = await redis.hmget(queue.toKey('meta'), ...FIELDS);
  return {
    paused: typeof paused === 'string',
    concurrency: numberOf(concurrency),
    rateLimit: typeof max === 'string' ? { max: Number(max), durationMs: numberOf(duration) ?? 0 } : null,
  };
}

const numberOf = (value: string | null | undefined): number | null =>
  typeof value === 'string' ? Number(value) : null;

/** Why jobs of a queue wait though workers are there, and what ends it; nothing where the queue is unrestricted. */
export function restrictionsOf(
  states: QueueStates,
): { queue: 'live' | 'bulk'; kind: string; words: string }[] {
  return (['live', 'bulk'] as const).flatMap((queue) => {
    const { paused, concurrency, rateLimit } = states[queue];
    const words: [kind: string, is: boolean, words: string][] = [
      [
        'paused',
        paused,
        `the ${queue} queue is paused: its jobs wait; resume it on /admin/queues, or with queue.resume()`,
      ],
      [
        'concurrency',
        concurrency !== null,
        `the ${queue} queue runs ${concurrency ?? 0} jobs at once at most, in the whole fleet: end it with queue.removeGlobalConcurrency()`,
      ],
      [
        'rate limit',
        rateLimit !== null,
        `the ${queue} queue starts ${rateLimit?.max ?? 0} jobs in ${rateLimit?.durationMs ?? 0} ms at most: end it with queue.removeGlobalRateLimit()`,
      ],
    ];
    return words.flatMap(([kind, is, text]) => (is ? [{ queue, kind, words: text }] : []));
  });
}
