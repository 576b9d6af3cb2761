import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisClient } from '../connections.ts';

export type ScriptArgument = string | number | Buffer;
/** Runs one script; its keys must share a hash tag. */
export type RunScript = (keys: readonly string[], args: readonly ScriptArgument[]) => Promise<unknown>;

/**
 * Reads `<name>.lua` beside this file (after position.lua, where it asks for it) and runs it by its digest; a server
 * that does not know it yet, or no longer, is sent the source.
 */
export function createScript(redis: RedisClient, name: string, { withPosition = false } = {}): RunScript {
  const source = (withPosition ? read('position') : '') + read(name);
  const digest = createHash('sha1').update(source).digest('hex');
  return async (keys, args) => {
    try {
      return await redis.evalsha(digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return redis.eval(source, keys.length, ...keys, ...args);
    }
  };
}

function read(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
}
