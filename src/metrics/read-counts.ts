import { isWrongType } from '../redis/wrong-type.ts';
import type { MetricsRedis } from './writer-deps.ts';

/** Counters by field. What is no whole number of at least 0 is left out: another program wrote it. */
export type Hash = Record<string, number>;

/** In one round trip, by key. @param onDamage called with each key that holds something else */
export async function readHashes(
  redis: MetricsRedis,
  keys: string[],
  onDamage: (key: string) => void,
): Promise<Map<string, Hash>> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(key);
  const replies = (await pipeline.exec()) ?? [];
  return new Map(
    replies.map(([error, reply], index) => {
      const key = keys[index] ?? '';
      if (error && !isWrongType(error)) throw error;
      const counts = error ? undefined : countsOf(reply as Record<string, string>);
      if (counts?.isWhole !== true) onDamage(key);
      return [key, counts?.hash ?? {}];
    }),
  );
}

function countsOf(fields: Record<string, string>): { hash: Hash; isWhole: boolean } {
  const all = Object.entries(fields).map(([field, n]) => [field, Number(n)] as const);
  const counts = all.filter(([, n]) => Number.isSafeInteger(n) && n >= 0);
  return { hash: Object.fromEntries(counts), isWhole: counts.length === all.length };
}

/** In one round trip, by key; null where there is none. */
export async function readStrings(redis: MetricsRedis, keys: string[]): Promise<Map<string, Buffer | null>> {
  const replies = await redis.mgetBuffer(keys);
  return new Map(replies.map((bytes, index) => [keys[index] ?? '', bytes]));
}
