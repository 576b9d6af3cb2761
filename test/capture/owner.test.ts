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

/** A worker whose capture runs on a real lease. `history`: what happened, in order. */
function worker(ownerId: string, over: Partial<CaptureDeps> & { lockMs?: number } = {}) {
  const history: string[] = [];
  const { lockMs = 6_000, ...deps } = over;
  const capture = startCapture({
    acquireLease: createAcquireLease({ redis, lock: lock(), ownerId, lockMs }),
    tokenKey: `${prefix}:token`,
    openChanges: () => streamOf(0),
    emitCaptured: (changes) => Promise.resolve({ emitted: changes.length, unknown: [] }),
    graceMs: 0,
    renewEveryMs: 100,
    backlog: () => Promise.resolve(0),
    on: {
      waits: () => {
        if (history.at(-1) !== 'waits') history.push('waits');
      },
      follows: (isOwner) => history.push(isOwner ? 'follows' : 'ended'),
      captured: (changes) => history.push(`captured ${changes.length}`),
      saved: () => undefined,
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
      return { emitted: 1, unknown: [] };
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
  expect(history).toEqual(['follows', 'captured 100', 'ended']);
});

test('close waits for no stream that was not opened, and says nothing of it later', async () => {
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
