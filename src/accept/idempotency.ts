import { hash, randomUUID } from 'node:crypto';
import { coalesce } from '../batching.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { AppError } from '../errors.ts';
import { within } from '../process/lifecycle.ts';
import { isTimeout, isUnavailable } from '../process/unavailable.ts';
import { luaScript } from '../redis/script.ts';
import { fromRedis } from '../redis/redis-errors.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
/**
 * How long a key is reserved for a request in progress. Longer than any request takes: a frozen Redis can take the key
 * when it thaws, after the request was answered. Afterwards the key is free again, because the API process has died.
 */
const IN_PROGRESS_MS = 3_000;
const TAKE_TIMEOUT_MS = 950;
/** Requests of one turn of the event loop share a script call, of at most 100 keys. */
const SHARED = { maxBatch: 100, maxInFlight: 16, firstAtOnce: true };

const takeScript = luaScript(new URL('./take-idempotency-key.lua', import.meta.url));
const updateScript = luaScript(new URL('./update-idempotency-key.lua', import.meta.url));
const finishScript = luaScript(new URL('./finish-idempotency-key.lua', import.meta.url));

export interface IdempotencyDeps {
  redis: RedisClient;
  /** Queue prefix; one hash tag for all. */
  prefix: string;
  ttlSeconds: number;
  reportDamage: ReportDamage;
  /**
   * Whether requests are processed while the records' master is away: on a Cluster with several shards it would refuse the requests of
   * all companies. Default false.
   */
  goesOnWithout?: (() => boolean) | undefined;
}

/** The items of a batch that are in the queue, kept across all attempts of one request. */
export interface BatchProgress {
  has: (index: number) => boolean;
  /** Writes to Redis in the background. */
  add: (indices: readonly number[]) => void;
}

/** One attempt of a request. */
export interface Attempt {
  /** Makes all attempts give the same emission ids. `undefined` without Idempotency-Key. */
  seed: string | undefined;
  /** An earlier attempt was accepted: its answer is repeated, and nothing is enqueued. */
  isRepeat: boolean;
  /** `undefined` without Idempotency-Key. */
  progress: BatchProgress | undefined;
}

/**
 * Runs `work` under an Idempotency-Key. The key's record in Redis (its states are in the take script) holds a random
 * nonce from before the first attempt until `ttlSeconds` after the last. Emission ids are derived from key, body and
 * nonce: a repetition within the lifetime gives the same ids, so adding a job again does nothing, even if the first
 * API process died before it stored its answer. A job can be trimmed before the repetition; then adding it again would
 * emit it twice. So the record also says which items of a batch are in the queue. It is written after each slice:
 * if the process dies in between, one slice is added again. A key that is used after its lifetime gives new ids.
 * A damaged record counts as none: its request is done again, under another nonce. With `goesOnWithout`, a request whose record's
 * master is away is processed without one.
 * @throws AppError INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_IN_PROGRESS (with Retry-After), IDEMPOTENCY_KEY_REUSED,
 * QUEUE_UNAVAILABLE.
 */
export type RunIdempotently = <T>(
  request: { keyFingerprint: string; idempotencyKey: string | undefined; body: unknown },
  work: (attempt: Attempt) => Promise<T>,
) => Promise<T>;

/**
 * The records are in Redis, so a key holds across API processes. Memory: about 250 bytes per key, 500 with a batch of
 * 1,000 items; so accepted calls per second × IDEMPOTENCY_TTL_SECONDS × 250 bytes (100/s over an hour: 90 MB).
 */
export function createIdempotency(deps: IdempotencyDeps): RunIdempotently {
  const records = createRecords(deps);

  return async ({ keyFingerprint, idempotencyKey, body }, work) => {
    if (idempotencyKey === undefined) return work({ seed: undefined, isRepeat: false, progress: undefined });
    if (!VISIBLE_ASCII.test(idempotencyKey)) {
      throw new AppError(
        'INVALID_IDEMPOTENCY_KEY',
        'Idempotency-Key must have 1 to 255 visible ASCII characters, for example a UUID',
      );
    }
    const key = `${deps.prefix}:idempotency:${sha256(`${keyFingerprint}\n${idempotencyKey}`).slice(0, 32)}`;
    const bodyHash = sha256(JSON.stringify(body)).slice(0, 32);
    const seedOf = (nonce: string): string =>
      sha256(`${keyFingerprint}\n${idempotencyKey}\n${bodyHash}\n${nonce}`);

    const taken = await records.take(key, bodyHash).catch((error: unknown) => {
      if (deps.goesOnWithout?.() && isAway(error)) return undefined;
      throw error;
    });
    // Without a record: repetitions meanwhile give the same ids, so that the queue ignores those that it keeps.
    if (!taken) return work({ seed: seedOf('away'), isRepeat: false, progress: undefined });
    const { nonce, items, owned } = taken;
    const seed = seedOf(nonce);
    const has = (index: number): boolean => items.has(index);
    if (!owned) return work({ seed, isRepeat: true, progress: { has, add: () => undefined } });

    const { owner, until, how } = owned;
    if (how === 'damaged') deps.reportDamage('idempotency', { key });
    const add = (indices: readonly number[]): void => {
      for (const index of indices) items.add(index);
      records.update(key, owner, `busy ${bodyHash} ${nonce} ${owner} ${until} ${encodeIndices(items)}`);
    };
    const rest = (): string => `${bodyHash} ${nonce} ${encodeIndices(items)}`;
    try {
      const result = await work({ seed, isRepeat: false, progress: { has, add } });
      // Accepted is accepted, even if it cannot be recorded: a repetition then gives the same ids.
      await records.finish({ key, record: `done ${rest()}` }).catch(() => undefined);
      return result;
    } catch (error) {
      // Forget the key if nothing can be in the queue. Otherwise a repetition must give the same ids.
      const isClean = how !== 'again' && error instanceof AppError && error.status < 500;
      records.update(key, owner, isClean ? '' : `open ${rest()}`);
      throw error;
    }
  };
}

/** False if the master may have taken the key: then the request must be refused. */
function isAway(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : undefined;
  return isUnavailable(cause) && !isTimeout(cause);
}

/** What the take script returned. */
interface Taken {
  nonce: string;
  items: Set<number>;
  /** Set if this request is the one that works. */
  owned?: { how: string; owner: string; until: string };
}

function createRecords({ redis, ttlSeconds }: IdempotencyDeps) {
  const takeShared = coalesce<{ key: string; bodyHash: string }, string>({
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
  return {
    /** @throws AppError IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, QUEUE_UNAVAILABLE */
    async take(key: string, bodyHash: string): Promise<Taken> {
      const taking = within(TAKE_TIMEOUT_MS, 'taking the key', takeShared({ key, bodyHash }));
      return parseTaken(await fromRedis(taking, 'Redis is not available; try again in a moment'));
    },
    finish,
    /** In the background. If the write is lost, the record counts as open after {@link IN_PROGRESS_MS}. */
    update(key: string, owner: string, record: string): void {
      updateScript(redis, [key], [owner, ttlSeconds, record]).catch(() => undefined);
    },
  };
}

function parseTaken(answer: string): Taken {
  const [state, ...fields] = answer.split(' ');
  if (state === 'done') {
    const [nonce = '', items = ''] = fields;
    return { nonce, items: decodeIndices(items) };
  }
  if (state === 'taken') {
    const [how = '', , , nonce = '', owner = '', until = '', items = ''] = fields;
    return { nonce, items: decodeIndices(items), owned: { how, owner, until } };
  }
  if (state === 'reused') {
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

/** Encodes indices as hexadecimal bits, the first one highest: {0, 2} is `a0`, none is `00`. */
function encodeIndices(indices: ReadonlySet<number>): string {
  const bits = Buffer.alloc(1 + (Math.max(0, ...indices) >> 3));
  for (const index of indices)
    bits.writeUInt8(bits.readUInt8(index >> 3) | (0x80 >> (index & 7)), index >> 3);
  return bits.toString('hex');
}

/** The reverse of {@link encodeIndices}. */
function decodeIndices(hex: string): Set<number> {
  const bits = [...Buffer.from(hex, 'hex')];
  return new Set(
    bits.flatMap((byte, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (0x80 >> bit)).map((bit) => at * 8 + bit),
    ),
  );
}
