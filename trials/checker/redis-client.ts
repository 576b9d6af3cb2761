import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RedisClient } from '../../src/redis/connect.ts';

/** Sources of the scripts that processes have run, by digest. */
export const scriptSources = new Map<string, string>();

export interface ScriptCall {
  digest: string;
  keys: readonly unknown[];
  args: readonly unknown[];
}

/**
 * A client of Redis that gives each script and command to the model.
 * @param runCommand  gets the name in capitals
 */
export function createModelClient(
  runScript: (call: ScriptCall) => Promise<unknown>,
  runCommand?: (name: string, args: readonly unknown[]) => Promise<unknown>,
): RedisClient {
  const toCall = (digest: string, count: number, all: readonly unknown[]): ScriptCall => {
    return { digest, keys: all.slice(0, count), args: all.slice(count) };
  };
  const client = {
    evalsha: (digest: string, count: number, ...all: unknown[]) =>
      scriptSources.has(digest)
        ? runScript(toCall(digest, count, all))
        : Promise.reject(new Error('NOSCRIPT No matching script')),
    eval: (source: string, count: number, ...all: unknown[]) => {
      const digest = createHash('sha1').update(source).digest('hex');
      scriptSources.set(digest, source);
      return runScript(toCall(digest, count, all));
    },
    hmget: (...args: unknown[]) => runCommand?.('HMGET', args),
    hgetall: async (...args: unknown[]) => toRecord((await runCommand?.('HGETALL', args)) as string[]),
  };
  return client as unknown as RedisClient;
}

function toRecord(pairs: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let at = 0; at < pairs.length; at += 2) record[pairs[at] as string] = pairs[at + 1] as string;
  return record;
}

const names = new Map<string, string>();

/** The name of the file that a script was read from, without its ending. */
export function scriptName(digest: string): string {
  const known = names.get(digest);
  if (known !== undefined) return known;
  const source = scriptSources.get(digest) ?? '';
  const file = scriptFiles().find((candidate) => source.endsWith(readFileSync(candidate, 'utf8')));
  const name = file === undefined ? 'a script' : basename(file, '.lua');
  names.set(digest, name);
  return name;
}

function scriptFiles(): string[] {
  const src = fileURLToPath(new URL('../../src', import.meta.url));
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.lua')).map((file) => join(src, file));
}
