import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Attempt, createIdempotency, type IdempotencyDeps } from '../../src/accept/idempotency.ts';
import { AppError } from '../../src/errors.ts';

const BODY = { appointmentId: 'a'.repeat(24) };
const TTL_SECONDS = 60;

let redis: Redis;
beforeAll(() => {
  redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
});
afterAll(async () => {
  await redis.quit();
});

let world: ReturnType<typeof openWorld>;
beforeEach(() => {
  world = openWorld();
});

/** Records of one prefix in a real Redis. A test may intercept the calls of scripts. */
function openWorld() {
  const prefix = `{${randomBytes(6).toString('hex')}}`;
  const damaged: unknown[] = [];
  const scriptKeys: number[] = [];
  const replies: Promise<unknown>[] = [];
  let intercept: (digest: string) => Promise<unknown> | undefined = () => undefined;
  const scripts = Object.create(redis, {
    evalsha: {
      value: (digest: string, count: number, ...args: string[]) => {
        scriptKeys.push(count);
        const reply = intercept(digest) ?? redis.evalsha(digest, count, ...args);
        replies.push(reply);
        return reply;
      },
    },
  }) as Redis;
  const create = (deps: Partial<IdempotencyDeps> = {}) =>
    createIdempotency({
      redis: scripts,
      prefix,
      ttlSeconds: TTL_SECONDS,
      reportDamage: (...given) => damaged.push(given),
      ...deps,
    });
  const run = create();
  const key = randomUUID();
  return {
    create,
    damaged,
    scriptKeys,
    /** Replaces calls of scripts by what `answer` returns. */
    onScript: (answer: typeof intercept) => {
      intercept = answer;
    },
    /** One attempt with the same key and body. */
    attempt: <T>(
      work: (attempt: Attempt) => Promise<T>,
      given: Partial<Parameters<typeof run>[0]> = {},
      by = run,
    ) => by({ keyFingerprint: 'service', idempotencyKey: key, body: BODY, ...given }, work),
    recordKey: async () => (await redis.keys(`${prefix}:idempotency:*`))[0] ?? 'none',
    /** The record, after all scripts in progress. */
    async record() {
      await Promise.allSettled(replies);
      return redis.get(await this.recordKey());
    },
  };
}

const itself = (attempt: Attempt) => Promise.resolve(attempt);
const seedOf = ({ seed }: Attempt) => Promise.resolve(seed);
const failWith = (error: Error) => () => Promise.reject(error);
const rejection = new AppError('APPOINTMENT_NOT_FOUND', 'no such appointment');
const outage = new AppError('QUEUE_UNAVAILABLE', 'Redis is not available');

/** What an attempt throws. */
async function errorOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a key', () => {
  test('that is missing means that nothing is recorded', async () => {
    const attempt = await world.attempt(itself, { idempotencyKey: undefined });
    expect(attempt).toEqual({ seed: undefined, isRepeat: false, progress: undefined });
    expect(world.scriptKeys).toEqual([]);
  });

  test('that is empty, too long, or not visible ASCII is refused', async () => {
    for (const idempotencyKey of ['', 'x'.repeat(256), 'a key', 'é', 'a\u007f', 'a\n', ' a', 'a ']) {
      const error = await errorOf(world.attempt(itself, { idempotencyKey }));
      expect(error).toMatchObject({
        code: 'INVALID_IDEMPOTENCY_KEY',
        message: expect.stringContaining('1 to 255 visible ASCII characters'),
      });
    }
    expect(world.scriptKeys).toEqual([]);
  });

  test('of 1 to 255 visible ASCII characters is valid', async () => {
    for (const idempotencyKey of ['!', '~', 'x'.repeat(255)])
      expect(await world.attempt(seedOf, { idempotencyKey })).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of another service, and another key, have records of their own', async () => {
    const seeds = [
      await world.attempt(seedOf),
      await world.attempt(seedOf, { keyFingerprint: 'other' }),
      await world.attempt(seedOf, { idempotencyKey: 'other' }),
    ];
    expect(new Set(seeds).size).toBe(3);
  });

  test('used with another body is refused', async () => {
    await world.attempt(itself);
    const error = await errorOf(world.attempt(itself, { body: {} }));
    expect(error).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      message: expect.stringContaining('another body'),
    });
  });

  test('of a request in progress is refused with Retry-After', async () => {
    let refused: unknown;
    await world.attempt(async () => {
      refused = await errorOf(world.attempt(itself));
    });
    expect(refused).toMatchObject({
      code: 'IDEMPOTENCY_IN_PROGRESS',
      message: expect.stringContaining('in progress'),
      retryAfterSeconds: 1,
    });
  });
});

describe('a request', () => {
  test('that was accepted is a repeat with the same seed afterwards, and its record stays as it is', async () => {
    const first = await world.attempt(itself);
    first.progress!.add([0, 2]);
    expect(first.isRepeat).toBe(false);
    const record = await world.record();
    const repeat = await world.attempt(itself);
    expect(repeat).toMatchObject({ seed: first.seed, isRepeat: true });
    repeat.progress!.add([1]);
    await world.attempt(itself);
    expect(await world.record()).toBe(record);
    expect(record).toMatch(/^done [0-9a-f]{32} [0-9a-f]{32} 00$/);
    const ttl = await redis.ttl(await world.recordKey());
    expect(ttl).toBeGreaterThan(TTL_SECONDS - 10);
    expect(ttl).toBeLessThanOrEqual(TTL_SECONDS);
  });

  test('that was refused is forgotten: the next one has another seed', async () => {
    const seeds: unknown[] = [];
    const attempt = world.attempt(({ seed }) => {
      seeds.push(seed);
      throw rejection;
    });
    expect(await errorOf(attempt)).toBe(rejection);
    expect(await world.record()).toBeNull();
    seeds.push(await world.attempt(seedOf));
    expect(new Set(seeds).size).toBe(2);
  });

  test.each([outage, new Error('not of ours')])(
    'that failed with %p may have enqueued something: the next one has its seed and its items',
    async (thrown) => {
      const first: Attempt[] = [];
      const attempt = world.attempt((one) => {
        first.push(one);
        one.progress!.add([0, 2, 9]);
        throw thrown;
      });
      expect(await errorOf(attempt)).toBe(thrown);
      expect(await world.record()).toMatch(/^open [0-9a-f]{32} [0-9a-f]{32} a040$/);
      const second = await world.attempt(itself);
      expect(second).toMatchObject({ seed: first[0]!.seed, isRepeat: false });
      const items = Array.from({ length: 20 }, (_, index) => index);
      expect(items.filter((index) => second.progress!.has(index))).toEqual([0, 2, 9]);
      expect(await world.record()).toMatch(/^done .* a040$/);
    },
  );

  test('that is refused after one that may have enqueued something is not forgotten', async () => {
    await errorOf(world.attempt(failWith(outage)));
    expect(await world.record()).toMatch(/^open /);
    let seed: unknown;
    await errorOf(
      world.attempt((one) => {
        seed = one.seed;
        throw rejection;
      }),
    );
    expect(await world.record()).toMatch(/^open /);
    expect(await world.attempt(seedOf)).toBe(seed);
  });

  test('records the items of a batch while it is in progress', async () => {
    await world.attempt(async ({ progress }) => {
      progress!.add([1]);
      progress!.add([7, 8]);
      expect([0, 1, 7, 8, 9].filter((index) => progress!.has(index))).toEqual([1, 7, 8]);
      expect(await world.record()).toMatch(/^busy [0-9a-f]{32} [0-9a-f]{32} [0-9a-f]{32} \d+ 4180$/);
    });
    expect((await world.attempt(itself)).progress!.has(8)).toBe(true);
  });

  test('with a damaged record is done again, under another seed, and the damage is reported', async () => {
    const seed = await world.attempt(seedOf);
    const key = await world.recordKey();
    await redis.set(key, 'damaged');
    expect(world.damaged).toEqual([]);
    const again = await world.attempt(itself);
    expect(again.isRepeat).toBe(false);
    expect(again.seed).not.toBe(seed);
    expect(world.damaged).toEqual([['idempotency', { key }]]);
  });

  test('of one turn of the event loop shares its script calls, of at most 100 keys', async () => {
    await world.attempt(itself);
    world.scriptKeys.length = 0;
    const attempts = Array.from({ length: 250 }, (_, n) =>
      world.attempt(itself, { idempotencyKey: `key-${n}` }),
    );
    const taken = await Promise.all(attempts);
    expect(new Set(taken.map(({ seed }) => seed)).size).toBe(250);
    expect(world.scriptKeys.slice(0, 2)).toEqual([1, 100]);
    expect(Math.max(...world.scriptKeys)).toBe(100);
    expect(world.scriptKeys.length).toBeLessThan(20);
  });
});

describe('if Redis does not answer', () => {
  const lost = new Error('Connection is closed.');
  const noReply = new Error('Command timed out');

  test.each([
    ['a lost connection', lost, undefined],
    ['a lost connection', lost, () => false],
    ['a command without a reply', noReply, () => true],
    ['an error of the script', new Error('ERR in the script'), () => true],
  ])('%s refuses the request', async (_, error, goesOnWithout) => {
    world.onScript(() => Promise.reject(error));
    let isDone = false;
    const attempt = world.attempt(
      () => Promise.resolve((isDone = true)),
      {},
      world.create({ goesOnWithout }),
    );
    expect(await errorOf(attempt)).toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining('try again'),
      cause: error,
    });
    expect(isDone).toBe(false);
  });

  test('a Cluster does the request without a record: repetitions meanwhile have the same seed', async () => {
    world.onScript(() => Promise.reject(lost));
    const run = world.create({ goesOnWithout: () => true });
    const first = await world.attempt(itself, {}, run);
    expect(first).toMatchObject({ isRepeat: false, progress: undefined });
    expect(await world.attempt(seedOf, {}, run)).toBe(first.seed);
    expect(await world.attempt(seedOf, { body: {} }, run)).not.toBe(first.seed);
    world.onScript(() => undefined);
    expect(await world.attempt(seedOf, {}, run)).not.toBe(first.seed);
  });

  test('a Cluster still refuses a key that was used with another body', async () => {
    const run = world.create({ goesOnWithout: () => true });
    await world.attempt(itself, {}, run);
    const error = await errorOf(world.attempt(itself, { body: {} }, run));
    expect(error).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  test('after the work, its result or its error counts all the same', async () => {
    const loseAfterwards = () => {
      world.onScript(() => Promise.reject(lost));
    };
    const attempt = world.attempt((one) => {
      loseAfterwards();
      one.progress!.add([0]);
      return Promise.resolve('the result');
    });
    expect(await attempt).toBe('the result');
    world.onScript(() => undefined);
    const failed = world.attempt(
      () => {
        loseAfterwards();
        throw outage;
      },
      { idempotencyKey: 'another' },
    );
    expect(await errorOf(failed)).toBe(outage);
  });
});
