import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** What the metrics ask of a connection: single, Sentinel or Cluster. */
export type MetricsRedis = Pick<Redis | Cluster, 'evalsha' | 'eval' | 'pipeline' | 'mgetBuffer'>;

/** Reads a script that lies beside this file; the returned function runs it in one round trip once Redis knows it. */
export function loadScript(fileName: string) {
  const lua = readFileSync(new URL(`./${fileName}`, import.meta.url), 'utf8');
  const sha = createHash('sha1').update(lua).digest('hex');
  return async (redis: MetricsRedis, keys: string[], args: (string | number)[]): Promise<unknown> => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await redis.eval(lua, keys.length, ...keys, ...args);
    }
  };
}

/** As {@link loadScript}, but reads the file at the first run, for functions that no factory makes. */
export function lazyScript(fileName: string): ReturnType<typeof loadScript> {
  let run: ReturnType<typeof loadScript> | undefined;
  return (...call) => (run ??= loadScript(fileName))(...call);
}
