import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createIdempotency } from '../../src/accept/idempotency.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { damageCounts } from '../harness/damage.ts';
import type { Company } from '../harness/documents.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let api: RunningApi;
let company: Company;
beforeAll(async () => {
  world = await createWorld({ env: { IDEMPOTENCY_TTL_SECONDS: '10', RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  company = await world.documents.company();
  world.worker();
});
afterAll(() => world.close());

const send = async (key: string, appointmentId: string, on = api) => {
  const response = await world.post(on, 'appointment-updated', { appointmentId }, { 'Idempotency-Key': key });
  const { emissionId = '', code } = (await response.json()) as { emissionId?: string; code?: string };
  return { status: response.status, emissionId, code };
};
const records = () => world.redis.keys(`${world.env['QUEUE_PREFIX']}:idempotency:*`);

test('a key that is used again after its lifetime starts a new emission, which is published', async () => {
  const [key, appointmentId] = [randomUUID(), await company.appointment()];
  const dashboard = await world.dashboard(api, company.companyId);
  const first = await send(key, appointmentId);
  await dashboard.hear(({ meta }) => meta.emissionId === first.emissionId);
  expect(await send(key, appointmentId)).toEqual(first);

  await eventually('the key to be forgotten', async () => (await records()).length === 0, 20_000);
  const later = await send(key, appointmentId);
  expect(later.status).toBe(202);
  expect(later.emissionId).not.toBe(first.emissionId);
  await dashboard.hear(({ meta }) => meta.emissionId === later.emissionId);
  expect(await send(key, appointmentId)).toEqual(later);
  expect(dashboard.heard).toHaveLength(2);
});

test('a repetition emits nothing, though the first emission’s job is no longer kept', async () => {
  const [key, appointmentId] = [randomUUID(), await company.appointment()];
  const first = await send(key, appointmentId);
  await (await world.jobIn(first.emissionId, 'completed')).remove();
  expect(await send(key, appointmentId)).toEqual(first);
  expect(await world.jobs.stateOf(first.emissionId)).toBe('unknown');
});

test('a repetition of a request whose process died before its answer was stored gives the same ids', async () => {
  const { redis } = world;
  const options = { prefix: `${world.env['QUEUE_PREFIX']}`, ttlSeconds: 10, reportDamage: () => undefined };
  const request = { keyFingerprint: 'k', idempotencyKey: randomUUID(), body: { appointmentId: 'a' } };
  const seeds: (string | undefined)[] = [];
  // It enqueues, and dies: nothing that comes after ever runs.
  await new Promise<void>((resolve) => {
    void createIdempotency({ redis, ...options })(request, ({ seed }) => {
      seeds.push(seed);
      resolve();
      return new Promise(() => undefined);
    });
  });
  const again = () =>
    createIdempotency({ redis, ...options })(request, ({ seed, isRepeat }) => {
      seeds.push(seed);
      return Promise.resolve(isRepeat);
    });
  await expect(again()).rejects.toMatchObject({ code: 'IDEMPOTENCY_IN_PROGRESS' });
  expect(await eventually('the key to be free', async () => [await again()])).toEqual([false]);
  expect(await again()).toBe(true);
  expect(seeds).toHaveLength(3);
  expect(new Set(seeds).size).toBe(1);
});

test('a repetition of a request that may have enqueued something gives the same ids', async () => {
  const { redis } = world;
  const run = createIdempotency({
    redis,
    prefix: `${world.env['QUEUE_PREFIX']}`,
    ttlSeconds: 10,
    reportDamage: () => undefined,
  });
  const request = { keyFingerprint: 'k', idempotencyKey: randomUUID(), body: {} };
  const seeds: (string | undefined)[] = [];
  const attempt = (fails: boolean) =>
    run(request, ({ seed }) => {
      seeds.push(seed);
      return fails ? Promise.reject(new Error('no answer from the queue')) : Promise.resolve();
    });
  await expect(attempt(true)).rejects.toThrow('no answer');
  await eventually('the key to be free', async () => {
    await attempt(false);
    return true;
  });
  expect(seeds[0]).toBe(seeds[1]);
});

/** Each is a key's whole record. */
const DAMAGED: [what: string, write: (key: string) => Promise<unknown>][] = [
  ['text', (key) => world.redis.set(key, 'garbage', 'EX', 60)],
  ['nothing', (key) => world.redis.set(key, '', 'EX', 60)],
  ['the word done', (key) => world.redis.set(key, 'done', 'EX', 60)],
  ['done without a nonce', (key) => world.redis.set(key, `done ${'a'.repeat(32)}`, 'EX', 60)],
  ['an end that is no number', (key) => world.redis.set(key, 'busy aa bb cc soon', 'EX', 60)],
  ['bytes', (key) => world.redis.set(key, Buffer.from([0, 255, 1]), 'EX', 60)],
  ['a list', (key) => world.redis.rpush(key, 'done')],
  ['a hash', (key) => world.redis.hset(key, 'done', '1')],
  ['a stream', (key) => world.redis.xadd(key, '*', 'done', '1')],
];

test.each(DAMAGED)('a record of %s does not pass for an answer: the request is done', async (_, write) => {
  const [key, appointmentId] = [randomUUID(), await company.appointment()];
  const before = new Set(await records());
  await send(key, appointmentId);
  const record = (await records()).find((name) => !before.has(name))!;
  const counted = (await damageCounts(api))['idempotency'] ?? 0;
  await world.redis.del(record);
  await write(record);

  const sent = await send(key, appointmentId);
  expect(sent.status).toBe(202);
  await until('the emission to be published', world.jobIn(sent.emissionId, 'completed'));
  expect(await send(key, appointmentId)).toEqual(sent);
  expect(await world.redis.ttl(record)).toBeGreaterThan(0);
  expect((await damageCounts(api))['idempotency']).toBe(counted + 1);
});

test('a record that would never end does not block its key for ever', async () => {
  const [key, appointmentId] = [randomUUID(), await company.appointment()];
  const before = new Set(await records());
  const first = await send(key, appointmentId);
  const record = (await records()).find((name) => !before.has(name))!;
  await world.redis.persist(record);
  const again = await send(key, appointmentId);
  expect(again.status).toBe(202);
  expect(again.emissionId).not.toBe(first.emissionId);
  expect(await world.redis.ttl(record)).toBeGreaterThan(0);
});
