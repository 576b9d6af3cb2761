import { hash, randomUUID } from 'node:crypto';
import { coalesce } from '../batching.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { AppError } from '../errors.ts';
import { within } from '../process/lifecycle.ts';
import { luaScript } from '../redis/script.ts';
import { fromRedis } from '../redis/from-redis.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
/**
 * Longer than any answer takes. After it the key is free again, for a request whose API process died; until then a
 * frozen Redis may take the key when it thaws, though its request was answered already.
 */
const IN_PROGRESS_MS = 3_000;
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
  reportDamage: ReportDamage;
}

/**
 * Runs `work` under an Idempotency-Key. The key's record in Redis (its states are in the take script) holds a random
 * nonce from before the first attempt until `ttlSeconds` after the last. Emission ids are derived from key, body and
 * nonce: a repetition within the lifetime gives the same ids, so that adding them again does nothing, also where the
 * first API process died before it could store its answer. A key that is used after its lifetime gives new ids.
 * A record that cannot be understood counts as none: its request is done again, under another nonce.
 * @throws AppError INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_IN_PROGRESS (with Retry-After), IDEMPOTENCY_KEY_REUSED,
 * QUEUE_UNAVAILABLE.
 */
export type RunIdempotently = <T>(
  request: { keyFingerprint: string; idempotencyKey: string | undefined; body: unknown },
  work: (by: { seed: string | undefined; isRepeat: boolean }) => Promise<T>,
) => Promise<T>;

/** Ends a request that failed, if its record is still ours: forgets the key, or leaves it open under its nonce. */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
return redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])`;

/**
 * Kept in Redis, so it holds across API processes. Memory: about 250 bytes a key; so
 * accepted calls a second × IDEMPOTENCY_TTL_SECONDS × 250 bytes (100/s over an hour: 90 MB).
 */
export function createIdempotency({
  redis,
  prefix,
  ttlSeconds,
  reportDamage,
}: IdempotencyDeps): RunIdempotently {
  const take = coalesce<{ key: string; bodyHash: string }, string>({
    ...SHARED,
    run: async (requests) => {
      const keys = requests.map(({ key }) => key);
      const args = requests.flatMap(({ bodyHash }) => [bodyHash, randomUUID().replaceAll('-', '')]);
      return (await takeScript(redis, keys, [ttlSeconds, IN_PROGRESS_MS, ...args])) as string[];
    },
  });
  const finish = coalesce<{ key: string; record: string }, undefined>({
    ...SHARED,
    run: async (requests) => {
      const keys = requests.map(({ key }) => key);
      await finishScript(redis, keys, [ttlSeconds, ...requests.map(({ record }) => record)]);
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
    const seedOf = (nonce: string): string =>
      sha256(`${keyFingerprint}\n${idempotencyKey}\n${bodyHash}\n${nonce}`);

    const taking = within(GIVE_UP_AFTER_MS, 'taking the key', take({ key, bodyHash }));
    const found = await fromRedis(taking, 'Redis is not available; the same call may succeed in a moment');
    const taken = parseAnswer(found);
    if (taken.record === undefined) return work({ seed: seedOf(taken.nonce), isRepeat: true });

    const { nonce, record, how } = taken;
    if (how === 'damaged') reportDamage('idempotency', { key });
    try {
      const result = await work({ seed: seedOf(nonce), isRepeat: false });
      // Accepted is accepted, also where it can't be noted: the same ids come of a repetition all the same.
      await finish({ key, record: `done ${bodyHash} ${nonce}` }).catch(() => undefined);
      return result;
    } catch (error) {
      // What failed for sure leaves nothing behind. Else something may stand in the queue: its ids must come again.
      const isClean = how !== 'again' && error instanceof AppError && error.status < 500;
      // Not awaited: where it is lost, the record counts as open after IN_PROGRESS_MS.
      redis.eval(RELEASE, 1, key, record, isClean ? '' : `open ${nonce}`, ttlSeconds).catch(() => undefined);
      throw error;
    }
  };
}

/** Of the take script: the nonce, and the record where this request is the one that works. */
function parseAnswer(answer: string): { nonce: string; record?: string; how?: string } {
  const [said, first = '', ...rest] = answer.split(' ');
  if (said === 'done') return { nonce: first };
  if (said === 'taken') return { how: first, nonce: rest[2] ?? '', record: rest.join(' ') };
  if (said === 'reused') {
    throw new AppError(
      'IDEMPOTENCY_KEY_REUSED',
      'this Idempotency-Key was used with another body; use a new one',
    );
  }
  throw new AppError('IDEMPOTENCY_IN_PROGRESS', 'a request with this Idempotency-Key is in progress', {
    retryAfterSeconds: 1,
  });
}

function sha256(text: string): string {
  return hash('sha256', text);
}
