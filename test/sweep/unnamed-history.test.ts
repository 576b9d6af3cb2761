import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createAcquireSweepLease } from '../../src/sweep/sweep-state.ts';
import { type HistoryInfo, INCOMPLETE_INFO, withInfo } from '../harness/redis-without-ids.ts';

const redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
afterAll(() => {
  redis.disconnect();
});

const WATERMARK = { updatedAt: 1_000, appointmentId: 'a'.repeat(24), caughtUp: true };

/** Acquires the lease of a new sweep on a server that gives these replies to INFO. */
async function acquire(info: HistoryInfo) {
  const acquireLease = createAcquireSweepLease({
    redis: withInfo(redis, info),
    prefix: `{${randomUUID()}}`,
    ownerId: 'worker',
    lockMs: 10_000,
    reportDamage: (kind) => {
      throw new Error(`${kind} is reported as damaged`);
    },
  });
  return (await acquireLease())!;
}

test.each(INCOMPLETE_INFO)('a server whose INFO lacks %s keeps the watermark', async (_, info) => {
  const lease = await acquire(info);
  expect(Math.abs(lease.now - Date.now())).toBeLessThan(60_000);
  expect(await lease.saveWatermark(WATERMARK)).toBe(true);
  expect(await lease.loadWatermark()).toEqual(WATERMARK);
});

test('if the run id of a server without a replication id changes, the watermark is not saved', async () => {
  const info = { replication: 'role:master', server: 'run_id:a1' };
  const lease = await acquire(info);
  info.server = 'run_id:a2';
  expect(await lease.saveWatermark(WATERMARK)).toBe(false);
  expect(await lease.loadWatermark()).toBeUndefined();
});
