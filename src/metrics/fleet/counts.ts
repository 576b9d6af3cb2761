import {
  APPOINTMENT_EVENTS,
  type AppointmentEvent,
  type OutcomeRates,
  type QueueName,
} from '@appointment-emissions/contracts';
import { isWrongType } from '../../redis/redis-errors.ts';
import { bulkField, OUTCOMES, outcomeField, reasonOfField } from '../names.ts';
import type { MetricsRedis } from './keys.ts';

/** Counters by field, as stored in Redis. */
export type Counts = ReadonlyMap<string, number>;

/** Reads hashes of counters in one round trip. @param onDamage  called with each key that has anything else in it */
export async function readCounts(
  redis: MetricsRedis,
  keys: string[],
  onDamage: (key: string) => void,
): Promise<Map<string, Counts>> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(key);
  const replies = (await pipeline.exec()) ?? [];
  return new Map(
    replies.map(([error, reply], index) => {
      const key = keys[index] ?? '';
      if (error && !isWrongType(error)) throw error;
      const fields = Object.entries(error ? {} : (reply as Record<string, string>));
      const counts = new Map(fields.map(([field, n]) => [field, Number(n)] as const).filter(isCounter));
      if (error || counts.size < fields.length) onDamage(key);
      return [key, counts];
    }),
  );
}

/** False for a value that another program wrote: any but a whole number of at least 0. */
const isCounter = ([, n]: readonly [string, number]): boolean => Number.isSafeInteger(n) && n >= 0;

export function addUp(all: Iterable<Counts | undefined>): Counts {
  const sums = new Map<string, number>();
  for (const counts of all)
    for (const [field, n] of counts ?? []) sums.set(field, (sums.get(field) ?? 0) + n);
  return sums;
}

/** Rates of one event, or of all events together; of one queue, or of both together. */
export function rates(
  counts: Counts,
  { events = APPOINTMENT_EVENTS, queue }: { events?: readonly AppointmentEvent[]; queue?: QueueName } = {},
): OutcomeRates {
  const counted = { accepted: 0, published: 0, retried: 0, failed: 0 };
  for (const outcome of OUTCOMES)
    for (const event of events) {
      const both = counts.get(outcomeField(event, outcome)) ?? 0;
      const bulk = queue === undefined ? 0 : (counts.get(bulkField(event, outcome)) ?? 0);
      // At least 0: a program can change the counts in Redis.
      counted[outcome] += queue === 'bulk' ? bulk : Math.max(0, both - bulk);
    }
  const ended = counted.published + counted.failed;
  const share = (n: number) => (ended === 0 ? null : n / ended);
  return { ...counted, successRate: share(counted.published), failureRate: share(counted.failed) };
}

/** Rejected requests by reason. */
export function rejections(counts: Counts): Record<string, number> {
  return Object.fromEntries(
    [...counts].flatMap(([field, n]) => {
      const reason = reasonOfField(field);
      return reason === undefined ? [] : [[reason, n]];
    }),
  );
}
