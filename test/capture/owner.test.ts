import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type CaptureDeps, startCapture } from '../../src/capture/capture.ts';
import type { Change, Changes } from '../../src/domain/changes.ts';
import { createAcquireLease } from '../../src/redis/lease.ts';
import { eventually } from '../harness/until.ts';

let redis: Redis;
let prefix: string;
let closing: (() => Promise<void>)[];
beforeEach(() => {
  redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
  prefix = `{${randomUUID()}}`;
  closing = [];
});
afterEach(async () => {
  for (const close of closing) await close();
  redis.disconnect();
});

const lock = () => `${prefix}:lock`;
const savedToken = () => redis.hget(`${prefix}:token`, 'resumeToken');

/** A stream of this many changes, which then stays open. */
function streamOf(count: number): Changes {
  let read = 0;
  return {
    opened: Promise.resolve(),
    next: () => (read < count ? Promise.resolve(change((read += 1))) : new Promise(() => undefined)),
    resumeToken: () => undefined,
    close: () => Promise.resolve(),
  };
}

const change = (number: number): Change => ({
  kind: 'written',
  appointmentId: number.toString(16).padStart(24, '0'),
  companyId: null,
  committedAt: null,
  clusterTime: String(number),
  resumeToken: `token ${number}`,
});

const NOTHING = { emitted: 0, unknown: [], unread: [], moved: [] };

/** A worker whose capture runs on a real lease. `history`: what happened, in order. */
function worker(ownerId: string, over: Partial<CaptureDeps> & { lockMs?: number } = {}) {
  const history: string[] = [];
  const { lockMs = 6_000, ...deps } = over;
  const capture = startCapture({
    acquireLease: createAcquireLease({ redis, lock: lock(), ownerId, lockMs }),
    tokenKey: `${prefix}:token`,
    openChanges: () => streamOf(0),
    emitCaptured: (changes) => Promise.resolve({ ...NOTHING, emitted: changes.length }),
    graceMs: 0,
    renewEveryMs: 100,
    backlog: () => Promise.resolve(0),
    on: {
      waits: () => {
        if (history.at(-1) !== 'waits') history.push('waits');
      },
      follows: (isOwner) => history.push(isOwner ? 'follows' : 'ended'),
      captured: (changes) => history.push(`captured ${changes.length}`),
      advanced: () => history.push('advanced'),
      restarted: (reason) => history.push(reason),
      damaged: () => history.push('damaged'),
      failed: () => history.push('failed'),
    },
    ...deps,
  });
  closing.push(capture.close);
  return { history, has: (what: string) => eventually(what, () => Promise.resolve(history.includes(what))) };
}

test('an owner that cannot open the stream releases the lease, and another worker reads it', async () => {
  const cutOff = worker('cut off', {
    openChanges: () => {
      throw new Error('no connection to MongoDB');
    },
  });
  await cutOff.has('failed');
  await worker('connected').has('follows');
  // Its own error no longer matters: another process reads the stream.
  await cutOff.has('waits');
});

test('a batch that takes longer than the lease is processed once, and its token is saved', async () => {
  const LOCK_MS = 400;
  let batches = 0;
  worker('slow', {
    lockMs: LOCK_MS,
    openChanges: () => streamOf(1),
    async emitCaptured() {
      batches += 1;
      const end = performance.now() + 3 * LOCK_MS;
      await eventually('three lifetimes to pass', () => Promise.resolve(performance.now() > end));
      return { ...NOTHING, emitted: 1 };
    },
  });
  await eventually('the token to be saved', async () => (await savedToken()) === 'token 1');
  expect(batches).toBe(1);
});

test('an owner that loses the lease while the queue is long processes no further change', async () => {
  const { history, has } = worker('owner', {
    openChanges: () => streamOf(300),
    async backlog() {
      await redis.set(lock(), 'another', 'PX', 60_000);
      return (await redis.get(lock())) === 'another' ? 10_000 : 0;
    },
  });
  await has('ended');
  expect(history).toEqual(['follows', 'missing', 'captured 100', 'advanced', 'ended']);
});

test('close does not wait for a stream that was never opened, and logs nothing later', async () => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { history } = worker('owner', { openChanges: () => ({ ...streamOf(0), opened }) });
  await eventually('the lease', async () => (await redis.exists(lock())) === 1);
  await closing.pop()!();
  open();
  await opened;
  await redis.ping();
  expect(history).toEqual(['ended']);
});

test('the first saved token is not ahead of a change that the driver has returned and that is not processed', async () => {
  let token: string | undefined;
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  // As the driver does: it moves its token, says so, and returns the change some microtasks later.
  async function nextOfDriver(): Promise<Change> {
    for (let trip = 0; trip < 5; trip += 1) await redis.ping();
    token = 'token 1';
    open();
    for (let hop = 0; hop < 5; hop += 1) await Promise.resolve();
    return change(1);
  }
  const rest = streamOf(0);
  const savedBefore = new Promise((resolve) => {
    worker('owner', {
      graceMs: 300,
      openChanges: () => ({
        ...rest,
        opened,
        next: async () => (token === undefined ? await nextOfDriver() : rest.next()),
        resumeToken: () => token,
      }),
      async emitCaptured() {
        resolve(await savedToken());
        return NOTHING;
      },
    });
  });
  expect(await savedBefore).toBeNull();
});

test('a renewal of the lease without a new token is no progress', async () => {
  let renewals = 0;
  const acquire = createAcquireLease({ redis, lock: lock(), ownerId: 'owner', lockMs: 6_000 });
  const { history } = worker('owner', {
    openChanges: () => ({ ...streamOf(0), resumeToken: () => 'the same token' }),
    async acquireLease() {
      const lease = await acquire();
      return lease && { ...lease, renew: () => lease.renew().finally(() => (renewals += 1)) };
    },
  });
  await eventually('three renewals', () => renewals >= 3);
  expect(history).toEqual(['follows', 'missing', 'advanced']);
});

test('a stream that is not open yet makes no progress: its token is the saved one', async () => {
  await redis.hset(`${prefix}:token`, 'resumeToken', 'token 7');
  let renewals = 0;
  const acquire = createAcquireLease({ redis, lock: lock(), ownerId: 'owner', lockMs: 6_000 });
  const { history } = worker('owner', {
    openChanges: (resumeToken) => ({
      ...streamOf(0),
      opened: new Promise(() => undefined),
      resumeToken: () => resumeToken,
    }),
    async acquireLease() {
      const lease = await acquire();
      return lease && { ...lease, renew: () => lease.renew().finally(() => (renewals += 1)) };
    },
  });
  await eventually('three renewals', () => renewals >= 3);
  expect(history).toEqual([]);
});
