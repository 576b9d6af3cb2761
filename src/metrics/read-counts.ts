import { execPipeline } from '../redis/exec-pipeline.ts';
import type { MetricsRedis } from './writer-deps.ts';

/** Counters by field, as Redis gives them. */
export type Hash = Record<string, string>;

/** In one round trip, by key. */
export async function readHashes(redis: MetricsRedis, keys: string[]): Promise<Map<string, Hash>> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(key);
  const hashes = await execPipeline(pipeline);
  return new Map(hashes.map((hash, index) => [keys[index] ?? '', hash as Hash]));
}

/** In one round trip, by key; null where there is none. */
export async function readStrings(redis: MetricsRedis, keys: string[]): Promise<Map<string, Buffer | null>> {
  const replies = await redis.mgetBuffer(keys);
  return new Map(replies.map((bytes, index) => [keys[index] ?? '', bytes]));
}
