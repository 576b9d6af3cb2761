import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BatchReply } from '@appointment-emissions/contracts';
import { createApiKeys } from '../../src/access/api-keys.ts';
import { createAcceptEmissions } from '../../src/accept/accept-emission.ts';
import { createIdempotency } from '../../src/accept/idempotency.ts';
import { createBulkPacer } from '../../src/process/bulk-pacer.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { createEnqueue } from '../../src/queue/producer.ts';
import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { Types } from 'mongoose';
import { damageCounts } from '../harness/damage.ts';
import type { Company } from '../harness/documents.ts';
import { eventually, until } from '../harness/until.ts';
import { DAMAGED_IDEMPOTENCY, ENDED_IDEMPOTENCY } from '../security/corpus-redis.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

let world: World;
let api: RunningApi;
let company: Company;
beforeAll(async () => {
  world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '0' },
    limits: { IDEMPOTENCY_TTL_SECONDS: 10 },
  });
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
  await dashboard.receive(({ meta }) => meta.emissionId === first.emissionId);
  expect(await send(key, appointmentId)).toEqual(first);

  await eventually('the key to be forgotten', async () => (await records()).length === 0, 20_000);
  const later = await send(key, appointmentId);
  expect(later.status).toBe(202);
  expect(later.emissionId).not.toBe(first.emissionId);
  await dashboard.receive(({ meta }) => meta.emissionId === later.emissionId);
  expect(await send(key, appointmentId)).toEqual(later);
  expect(dashboard.received).toHaveLength(2);
});

test('a repeated request emits nothing, although the job of the first emission is no longer kept', async () => {
  const [key, appointmentId] = [randomUUID(), await company.appointment()];
  const first = await send(key, appointmentId);
  await (await world.jobIn(first.emissionId, 'completed')).remove();
  expect(await send(key, appointmentId)).toEqual(first);
  expect(await world.jobs.stateOf(first.emissionId)).toBe('unknown');
});

const sendBatch = async (key: string, emissions: object[]) => {
  const response = await world.post(api, 'batch', { emissions }, { 'Idempotency-Key': key });
  return { status: response.status, body: (await response.json()) as BatchReply };
};
const updated = (appointmentId: string) => ({ event: 'appointment:updated', appointmentId });
const idsOf = ({ results }: BatchReply) => results.flatMap(({ emissionId }) => emissionId ?? []);
/** Waits until the jobs have completed, and removes them, as BullMQ does when it keeps too many. */
const trim = (ids: string[]) =>
  Promise.all(ids.map(async (id) => (await world.jobIn(id, 'completed')).remove()));
const statesOf = (ids: string[]) => Promise.all(ids.map((id) => world.jobs.stateOf(id)));

test('a repeated batch emits nothing, although its jobs are no longer kept', async () => {
  const key = randomUUID();
  const ids = await Promise.all(Array.from({ length: 3 }, () => company.appointment()));
  const dashboard = await world.dashboard(api, company.companyId);
  const first = await sendBatch(key, ids.map(updated));
  expect(first).toMatchObject({ status: 202, body: { accepted: 3 } });
  await trim(idsOf(first.body));
  expect(await sendBatch(key, ids.map(updated))).toEqual(first);
  expect(await statesOf(idsOf(first.body))).toEqual(['unknown', 'unknown', 'unknown']);

  // Jobs run in order: an emission of the repeated request would have been published before this one.
  const last = await sendBatch(randomUUID(), [updated(ids[0]!)]);
  await dashboard.receive(({ meta }) => meta.emissionId === idsOf(last.body)[0]);
  expect(dashboard.received).toHaveLength(4);
});

test('a repeated request gets the same reply, although appointments were deleted or written since', async () => {
  const { Appointment } = world.documents.models;
  const [deleted, written] = [await company.appointment(), await company.appointment()];
  const { _id, ...rest } = (await Appointment.collection.findOne({ _id: new Types.ObjectId(written) }))!;
  await Appointment.collection.deleteOne({ _id });
  const [key, batchKey] = [randomUUID(), randomUUID()];
  const emissions = [updated(deleted), updated(written)];
  const single = await send(key, deleted);
  const batch = await sendBatch(batchKey, emissions);
  expect(batch.body.results.map(({ status }) => status)).toEqual([202, 404]);
  await trim([single.emissionId, ...idsOf(batch.body)]);

  await Appointment.collection.deleteOne({ _id: new Types.ObjectId(deleted) });
  await Appointment.collection.insertOne({ _id, ...rest });
  expect(await send(key, deleted)).toEqual(single);
  expect(await sendBatch(batchKey, emissions)).toEqual(batch);
});

test('a repeated request completes a batch whose process died in the middle, and emits no item twice', async () => {
  const { redis } = world;
  const key = randomUUID();
  const appointmentId = await company.appointment();
  const emissions = Array.from({ length: 120 }, () => updated(appointmentId));
  const enqueue = createEnqueue({
    shardOf: () => world.shards[0]!,
    redis,
    policy: { attempts: 1, firstRetryDelayMs: 50 },
    remember: () => undefined,
  });
  const slices: string[][] = [];
  let isSecondSlice: () => void;
  const died = new Promise<void>((resolve) => (isSecondSlice = resolve));
  const accept = createAcceptEmissions({
    findCompanies: (ids) => Promise.resolve(ids.map(() => company.companyId)),
    async enqueue(slice, priority) {
      if (slices.push(slice.map(({ emissionId }) => emissionId)) === 1) return enqueue(slice, priority);
      isSecondSlice();
      return new Promise(() => undefined);
    },
    priority: PRIORITY,
    isFull: () => false,
    isOverShare: () => false,
    isNearLimit: () => false,
    pacer: createBulkPacer(),
    onAccepted: () => undefined,
  });
  const run = createIdempotency({
    redis,
    prefix: `${world.env['QUEUE_PREFIX']}`,
    ttlSeconds: 60,
    reportDamage: () => undefined,
  });
  const keyFingerprint = createApiKeys([API_KEY]).verify(API_KEY)!;
  void run({ keyFingerprint, idempotencyKey: key, body: emissions }, (attempt) =>
    accept.many(
      emissions.map((item) => ({ ...item, event: 'appointment:updated' })),
      attempt,
    ),
  );
  await until('the second slice', died);
  const [first = []] = slices;
  expect(first).toHaveLength(50);
  await trim(first);

  const again = await eventually('the key to be free', async () => {
    const sent = await sendBatch(key, emissions);
    return sent.status === 202 ? sent : undefined;
  });
  const ids = idsOf(again.body);
  expect(ids.slice(0, 50)).toEqual(first);
  expect(new Set(ids).size).toBe(120);
  await trim(ids.slice(50));
  expect(new Set(await statesOf(ids))).toEqual(new Set(['unknown']));
  expect(await sendBatch(key, emissions)).toEqual(again);
  expect(new Set(await statesOf(ids))).toEqual(new Set(['unknown']));
}, 30_000);

test('a repeated request gets the same ids if the process died before its reply was stored', async () => {
  const { redis } = world;
  const options = { prefix: `${world.env['QUEUE_PREFIX']}`, ttlSeconds: 10, reportDamage: () => undefined };
  const request = { keyFingerprint: 'k', idempotencyKey: randomUUID(), body: { appointmentId: 'a' } };
  const seeds: (string | undefined)[] = [];
  // The process enqueues and dies: no later step runs.
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

test('a repeated request gets the same ids if the first one may have enqueued something', async () => {
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

test.each(DAMAGED_IDEMPOTENCY)(
  'a record of %s is not taken for a reply: the request is processed',
  async (_, write) => {
    const [key, appointmentId] = [randomUUID(), await company.appointment()];
    const before = new Set(await records());
    await send(key, appointmentId);
    const record = (await records()).find((name) => !before.has(name))!;
    const counted = (await damageCounts(api))['idempotency'] ?? 0;
    await world.redis.del(record);
    await write(world.redis, record);

    const sent = await send(key, appointmentId);
    expect(sent.status).toBe(202);
    await until('the emission to be published', world.jobIn(sent.emissionId, 'completed'));
    expect(await send(key, appointmentId)).toEqual(sent);
    expect(await world.redis.ttl(record)).toBeGreaterThan(0);
    expect((await damageCounts(api))['idempotency']).toBe(counted + 1);
  },
);

test('a record without an expiry does not block its key forever', async () => {
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

test.each(ENDED_IDEMPOTENCY)(
  'a record of %s does not block its key: the request is processed',
  async (_, write) => {
    const [key, appointmentId] = [randomUUID(), await company.appointment()];
    const before = new Set(await records());
    await send(key, appointmentId);
    const record = (await records()).find((name) => !before.has(name))!;
    await write(world.redis, record);
    const sent = await send(key, appointmentId);
    expect(sent.status).toBe(202);
    await until('the emission to be published', world.jobIn(sent.emissionId, 'completed'));
    expect(await send(key, appointmentId)).toEqual(sent);
  },
);
