import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createAcquireLease } from '../../src/redis/lease.ts';
import type { RedisClient } from '../../src/redis/connect.ts';
import { withInfo } from '../harness/redis-without-ids.ts';
import { eventually } from '../harness/until.ts';

const redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
afterAll(() => {
  redis.disconnect();
});

const TOKEN = { resumeToken: 'of the first owner' };

/** A lock and a hash of one test, and the workers that compete for the lease. */
function createPlace() {
  const prefix = `{${randomUUID()}}`;
  const [lock, hash] = [`${prefix}:lock`, `${prefix}:token`];
  const acquireAs = (ownerId: string, client: RedisClient = redis) =>
    createAcquireLease({ redis: client, lock, ownerId, lockMs: 10_000 })();
  const isExpired = () => eventually('the lease to expire', async () => (await redis.exists(lock)) === 0);
  return {
    hash,
    acquireAs,
    saved: () => redis.hgetall(hash),
    /** Shortens the rest of the lease, so that no test depends on the speed of the machine. */
    expire: async () => {
      await redis.pexpire(lock, 1);
      await isExpired();
    },
    isExpired,
  };
}

test('an owner whose lease expired and was acquired by another one saves nothing', async () => {
  const { hash, acquireAs, saved, expire } = createPlace();
  const first = (await acquireAs('first'))!;
  expect(await first.save(hash, TOKEN)).toBe(true);
  await expire();
  const second = (await acquireAs('second'))!;
  expect(await second.save(hash, { resumeToken: 'of the second owner' })).toBe(true);
  expect(await first.save(hash, { resumeToken: 'too late' })).toBe(false);
  expect(await first.renew()).toBe(false);
  await first.release();
  expect(await saved()).toEqual({ resumeToken: 'of the second owner' });
  expect(await second.renew()).toBe(true);
});

test('an owner whose lease expired saves nothing, also if no other one acquired it', async () => {
  const { hash, acquireAs, saved, expire } = createPlace();
  const owner = (await acquireAs('first'))!;
  await expire();
  expect(await owner.save(hash, TOKEN)).toBe(false);
  expect(await saved()).toEqual({});
});

test('while one owner has the lease, no other one acquires it; after its release, another one does', async () => {
  const { hash, acquireAs, isExpired } = createPlace();
  const first = (await acquireAs('first'))!;
  expect(await acquireAs('second')).toBeUndefined();
  await first.save(hash, TOKEN);
  await first.release();
  await isExpired();
  const second = (await acquireAs('second'))!;
  expect(await second.load(hash)).toEqual(TOKEN);
});

test('if the history of Redis changed, neither the owner nor one that lost its lease saves anything', async () => {
  const { hash, acquireAs, saved, expire } = createPlace();
  const info = { replication: 'role:master\\r\\nmaster_replid:b1', server: 'run_id:a1' };
  const client = withInfo(redis, info);
  const first = (await acquireAs('first', client))!;
  expect(await first.save(hash, TOKEN)).toBe(true);
  await expire();
  const second = (await acquireAs('second', client))!;
  info.replication = 'role:master\\r\\nmaster_replid:b2';
  for (const lease of [first, second]) {
    expect(await lease.save(hash, { resumeToken: 'of another history' })).toBe(false);
    expect(await lease.renew()).toBe(false);
  }
  expect(await saved()).toEqual(TOKEN);
  const renewed = (await acquireAs('second', client))!;
  expect(await renewed.save(hash, { resumeToken: 'of this history' })).toBe(true);
});
