import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { freeze, ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let redis: ServiceHandle;
let mongo: ServiceHandle;
let world: World;
let api: RunningApi;
beforeAll(async () => {
  [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  world = await createWorld({ redisUrl: redis.url, mongoUri: mongo.url });
  api = await world.api();
});
afterAll(async () => {
  await world.close();
  await Promise.all([redis.stop(), mongo.stop()]);
});

const look = (path: string) => request(api.url).get(path);
const readyAgain = () =>
  eventually('the API to be ready', async () => (await look('/readyz')).status === 200);

test('the API is alive and ready while MongoDB and Redis answer, and the probes need no key', async () => {
  await readyAgain();
  expect((await look('/livez').expect(200)).body).toEqual({ status: 'alive' });
  expect((await look('/readyz').expect(200)).body).toEqual({
    status: 'ready',
    draining: false,
    checks: { mongodb: true, redis: true },
  });
  expect((await look('/health').expect(200)).body).toEqual({
    status: 'ready',
    draining: false,
    checks: { mongodb: { ok: true }, redis: { ok: true } },
    warnings: expect.any(Array),
    uptimeSeconds: expect.any(Number),
  });
});

test.each([
  ['redis', () => redis],
  ['mongodb', () => mongo],
] as const)(
  'while %s is frozen the API is alive but not ready, and names the unavailable server',
  async (name, service) => {
    await readyAgain();
    await freeze(service());
    try {
      expect((await look('/readyz').expect(503)).body).toMatchObject({
        status: 'not ready',
        checks: { mongodb: true, redis: true, [name]: false },
      });
      const { body } = await look('/health').expect(503);
      expect(body.checks[name]).toEqual({ ok: false, detail: expect.any(String) });
      await look('/livez').expect(200);
    } finally {
      await service().kill('SIGCONT');
    }
    await readyAgain();
  },
);

test('with a Redis that may evict keys the API is not ready, and names the setting to change', async () => {
  await world.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  try {
    expect((await look('/readyz').expect(503)).body.checks).toEqual({ mongodb: true, redis: false });
    const { body } = await look('/health').expect(503);
    expect(body.checks.redis.detail).toContain('allkeys-lru: set it to noeviction');
  } finally {
    await world.redis.config('SET', 'maxmemory-policy', 'noeviction');
  }
  await readyAgain();
});
