import { createHash } from 'node:crypto';
import type { RedisClient } from '../connections.ts';
import { AppError } from '../errors.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
const IN_PROGRESS_SECONDS = 10;

export interface IdempotencyDeps {
  redis: RedisClient;
  /** Queue prefix; one hash tag for all. */
  prefix: string;
  ttlSeconds: number;
}

/**
 * Runs `work` under an Idempotency-Key. Only successes are kept, as key → hash of the body: a repetition computes its
 * answer again, with emission ids derived from the same seed, so that adding them again does nothing.
 * @throws AppError INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_IN_PROGRESS (with Retry-After), IDEMPOTENCY_KEY_REUSED,
 * QUEUE_UNAVAILABLE.
 */
export type RunIdempotently = <T>(
  request: { keyFingerprint: string; idempotencyKey: string | undefined; body: unknown },
  work: (seed: string | undefined) => Promise<T>,
) => Promise<T>;

/**
 * Kept in Redis, so it holds across API processes. Memory: about 200 bytes a key; so
 * accepted calls a second × IDEMPOTENCY_TTL_SECONDS × 200 bytes (100/s over an hour: 72 MB).
 */
export function createIdempotency({ redis, prefix, ttlSeconds }: IdempotencyDeps): RunIdempotently {
  return async ({ keyFingerprint, idempotencyKey, body }, work) => {
    if (idempotencyKey === undefined) return work(undefined);
    if (!VISIBLE_ASCII.test(idempotencyKey)) {
      throw new AppError(
        'INVALID_IDEMPOTENCY_KEY',
        'Idempotency-Key must have 1 to 255 visible ASCII characters, for example a UUID',
      );
    }
    const seed = sha256(`${keyFingerprint}\n${idempotencyKey}`);
    const key = `${prefix}:idempotency:${seed.slice(0, 32)}`;
    const bodyHash = sha256(JSON.stringify(body)).slice(0, 32);

    const found = await available(redis.set(key, `busy ${bodyHash}`, 'EX', IN_PROGRESS_SECONDS, 'NX', 'GET'));
    if (found !== null) {
      const [state, knownHash] = found.split(' ');
      if (knownHash !== bodyHash) {
        throw new AppError(
          'IDEMPOTENCY_KEY_REUSED',
          'this Idempotency-Key was used with another body; use a new one',
        );
      }
      if (state === 'busy') {
        throw new AppError('IDEMPOTENCY_IN_PROGRESS', 'a request with this Idempotency-Key is in progress', {
          retryAfterSeconds: 1,
        });
      }
    }
    try {
      const result = await work(seed);
      if (found === null) await available(redis.set(key, `done ${bodyHash}`, 'EX', ttlSeconds));
      return result;
    } catch (error) {
      // Not kept: the same key may be tried again at once. If this is lost too, the marker ends by itself.
      if (found === null) redis.del(key).catch(() => undefined);
      throw error;
    }
  };
}

async function available<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (cause) {
    throw new AppError('QUEUE_UNAVAILABLE', 'Redis is not available; the same call may succeed in a moment', {
      cause,
      retryAfterSeconds: 1,
    });
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
