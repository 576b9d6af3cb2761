import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisClient } from '../../src/redis/connect.ts';

/** A place that must not hold personal data, and its content. */
export interface Place {
  where: string;
  bytes: Buffer;
}

/** Every key with its name, as Redis itself writes it down; `rdbcompression` must be off, or it can't be searched. */
export async function keysOf(redis: RedisClient): Promise<Place[]> {
  const places: Place[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', '1000');
    cursor = next;
    for (const key of keys) {
      // Null if the key has expired meanwhile, although the type excludes it.
      const bytes = (await redis.dumpBuffer(key)) as Buffer | null;
      places.push({
        where: `key ${key}`,
        bytes: Buffer.concat([Buffer.from(key), bytes ?? Buffer.alloc(0)]),
      });
    }
  } while (cursor !== '0');
  return places;
}

/** What Redis keeps of slow and of large commands. */
export async function slowLogsOf(redis: RedisClient): Promise<Place[]> {
  const logs = await Promise.all([
    redis.call('SLOWLOG', 'GET', '-1'),
    // Redis itself has the slow log alone.
    ...['large-request', 'large-reply'].map((kind) =>
      redis.call('COMMANDLOG', 'GET', '-1', kind).catch(() => []),
    ),
  ]);
  return [{ where: 'the slow log', bytes: Buffer.from(JSON.stringify(logs)) }];
}

/** Every file in a folder and below. */
export function filesIn(dir: string): Place[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ where: path, bytes: readFileSync(path) }));
}

/**
 * Where any of these words stands, in whatever case: in the clear (so also in JSON, msgpack or a URL, which leave letters and digits
 * as they are), as hex, as UTF-16, or as a part of something in base64.
 */
export function findWords(words: readonly string[], places: readonly Place[]): string[] {
  return places.flatMap(({ where, bytes }) => {
    const text = bytes.toString('latin1');
    const lower = text.toLowerCase();
    return words.flatMap((word) => {
      const plain = [
        word,
        Buffer.from(word).toString('hex'),
        Buffer.from(word, 'utf16le').toString('latin1'),
      ];
      const isThere =
        plain.some((form) => lower.includes(form.toLowerCase())) ||
        asBase64(word).some((form) => text.includes(form));
      return isThere ? `${word} in ${where}` : [];
    });
  });
}

/** What base64 makes of a word, wherever it begins in what was encoded; without the characters that it shares with others. */
function asBase64(word: string): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), Buffer.from(word)]).toString('base64');
    const length = Buffer.byteLength(word) + before;
    return encoded.slice(Math.ceil((before * 4) / 3), Math.floor((length * 4) / 3));
  });
}
