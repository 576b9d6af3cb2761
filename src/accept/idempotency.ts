import { hash, randomUUID } from 'node:crypto';
import { coalesce } from '../batching.ts';
import type { RedisClient } from '../redis/connect.ts';
import { AppError } from '../errors.ts';
import { within } from '../process/lifecycle.ts';
import { luaScript } from '../redis/script.ts';
import { fromRedis } from '../redis/from-redis.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
/**
 * Longer than any answer takes. A marker whose request was answered already lies for as long: a frozen Redis sets it when
 * it thaws. Should one end too soon nothing is lost: both requests enqueue the same ids.
 */
const IN_PROGRESS_SECONDS = 3;
const GIVE_UP_AFTER_MS = 950;
/** What is asked while others are under way, and within one turn of the event loop, goes in one script, of so many keys at most. */
const SHARED = { maxBatch: 100, maxInFlight: 16, firstAtOnce: true };

const takeScript = luaScript(new URL('./take-idempotency-key.lua', import.meta.url));
const finishScript = luaScript(new URL('./finish-idempotency-key.lua', import.meta.url));

export interface IdempotencyDeps {
  redis: RedisClient;
  /** Queue prefix; one hash tag for all. */
  prefix: string;
  ttlSeconds: number;
}

/**
 * Runs `work` under an Idempotency-Key. Only successes are kept, as key → hash of the body: a repetition computes its
 * answer again, with emission ids derived from the same seed, so that adding them again does nothing. The seed holds
 * the body too: a key that was used long ago for something else can't swallow what is asked for now.
 * @throws AppError INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_IN_PROGRESS (with Retry-After), IDEMPOTENCY_KEY_REUSED,
 * QUEUE_UNAVAILABLE.
 */
export type RunIdempotently = <T>(
  request: { keyFingerprint: string; idempotencyKey: string | undefined; body: unknown },
  work: (by: { seed: string | undefined; isRepeat: boolean }) => Promise<T>,
) => Promise<T>;

/** What a key holds, or shall hold. */
interface Note {
  key: string;
  text: string;
}
const keysOf = (notes: readonly Note[]) => notes.map(({ key }) => key);
const textsOf = (notes: readonly Note[]) => notes.map(({ text }) => text);

/** Gives a marker back, if it is still ours. */
const RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end";

/**
 * Kept in Redis, so it holds across API processes. Memory: about 200 bytes a key; so
 * accepted calls a second × IDEMPOTENCY_TTL_SECONDS × 200 bytes (100/s over an hour: 72 MB).
 */
export function createIdempotency({ redis, prefix, ttlSeconds }: IdempotencyDeps): RunIdempotently {
  const take = coalesce<Note, string>({
    ...SHARED,
    run: async (notes) =>
      (await takeScript(redis, keysOf(notes), [IN_PROGRESS_SECONDS, ...textsOf(notes)])) as string[],
  });
  const finish = coalesce<Note, undefined>({
    ...SHARED,
    run: async (notes) => {
      await finishScript(redis, keysOf(notes), [ttlSeconds, ...textsOf(notes)]);
      return [];
    },
  });

  return async ({ keyFingerprint, idempotencyKey, body }, work) => {
    if (idempotencyKey === undefined) return work({ seed: undefined, isRepeat: false });
    if (!VISIBLE_ASCII.test(idempotencyKey)) {
      throw new AppError(
        'INVALID_IDEMPOTENCY_KEY',
        'Idempotency-Key must have 1 to 255 visible ASCII characters, for example a UUID',
      );
    }
    const key = `${prefix}:idempotency:${sha256(`${keyFingerprint}\n${idempotencyKey}`).slice(0, 32)}`;
    const bodyHash = sha256(JSON.stringify(body)).slice(0, 32);
    const seed = sha256(`${keyFingerprint}\n${idempotencyKey}\n${bodyHash}`);
    const marker = `busy ${bodyHash} ${randomUUID()}`;

    // Never awaited: nobody waits for it, and where it is lost the marker ends by itself.
    const release = (): void => void redis.eval(RELEASE, 1, key, marker).catch(() => undefined);
    try {
      const taking = within(GIVE_UP_AFTER_MS, 'taking the key', take({ key, text: marker }));
      const found = await fromRedis(taking, 'Redis is not available; the same call may succeed in a moment');
      if (found !== marker) refuseUnlessDone(found, bodyHash);
      const result = await work({ seed, isRepeat: found !== marker });
      // Accepted is accepted, also where it can't be noted: the same ids come of a repetition all the same.
      if (found === marker) await finish({ key, text: `done ${bodyHash}` }).catch(release);
      return result;
    } catch (error) {
      release();
      throw error;
    }
  };
}

function refuseUnlessDone(found: string, bodyHash: string): void {
  const [state, knownHash] = found.split(' ');
  if (knownHash !== bodyHash) {
    throw new AppError(
      'IDEMPOTENCY_KEY_REUSED',
      'this Idempotency-Key was used with another body; use a new one',
    );
  }
  if (state !== 'done') {
    throw new AppError('IDEMPOTENCY_IN_PROGRESS', 'a request with this Idempotency-Key is in progress', {
      retryAfterSeconds: 1,
    });
  }
}

function sha256(text: string): string {
  return hash('sha256', text);
}
