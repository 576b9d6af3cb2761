import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** The commands that scripts need: on a single Redis, Sentinel or Cluster. */
export type ScriptRedis = Pick<Redis | Cluster, 'evalsha' | 'eval'>;
export type ScriptArgument = string | number | Buffer;
/** Runs one script; its keys must share a hash tag. */
export type RunScript = (
  redis: ScriptRedis,
  keys: readonly string[],
  args: readonly ScriptArgument[],
) => Promise<unknown>;

/** Declares `current_history()`, for scripts that must detect a restart or a failover of Redis. */
export const CURRENT_HISTORY = new URL('./current-history.lua', import.meta.url);

/**
 * A script that consists of these files, in this order, read at the first run. It is called by its digest; a server that
 * lacks the script gets the source.
 */
export function luaScript(...files: readonly URL[]): RunScript {
  let read: { source: string; digest: string } | undefined;
  return async (redis, keys, args) => {
    const { source, digest } = (read ??= readScript(files));
    try {
      return await redis.evalsha(digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return redis.eval(source, keys.length, ...keys, ...args);
    }
  };
}

function readScript(files: readonly URL[]): { source: string; digest: string } {
  const source = files.map((file) => readFileSync(file, 'utf8')).join('');
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}
