import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import type { EmitReply } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { post, problemOf } from './internal.ts';

const OTHER_KEY = 'other-key-0123456789-0123456789-0123456789';

let world: World;
let api: RunningApi;
let other: RunningApi;
let company: Company;
let appointmentId: string;
beforeAll(async () => {
  const env = { API_CONCURRENCY: '0', INTERNAL_SERVICE_API_KEY: `${API_KEY},${OTHER_KEY}` };
  world = await createWorld({ env });
  [api, other] = await Promise.all([world.api(), world.api()]);
  company = await world.documents.company();
  appointmentId = await company.appointment();
});
afterEach(() => world.jobs.drain());
afterAll(() => world.close());

const send = (key: string, body: object, on = api, slug = 'appointment-created') =>
  post(on, slug).set('Idempotency-Key', key).send(body);
const jobs = async () => (await world.jobs.in('waiting', 'prioritized')).map(({ id }) => id);

test('a repeated request gets the first reply, from any API process, and enqueues nothing', async () => {
  const key = randomUUID();
  const first = await send(key, { appointmentId }).expect(202);
  const again = await send(key, { appointmentId }).expect(202);
  const elsewhere = await send(key, { appointmentId }, other).expect(202);
  expect([again.body, elsewhere.body]).toEqual([first.body, first.body]);
  const replayed = [first, again, elsewhere].map(({ headers }) => headers['idempotency-replayed']);
  expect(replayed).toEqual([undefined, 'true', 'true']);
  expect(again.headers['location']).toBe(first.body.statusUrl);
  expect(await jobs()).toEqual([first.body.emissionId]);
});

test('the same key with another request is 422, and enqueues nothing', async () => {
  const key = randomUUID();
  const first = await send(key, { appointmentId }).expect(202);
  const another = await company.appointment();
  const otherBody = await send(key, { appointmentId: another }, other).expect(422);
  expect(otherBody.body).toEqual(problemOf(422, 'IDEMPOTENCY_KEY_REUSED'));
  await send(key, { appointmentId }, api, 'appointment-canceled').expect(422);
  await send(key, { emissions: [{ event: 'appointment:created', appointmentId }] }, api, 'batch').expect(422);
  expect(await jobs()).toEqual([first.body.emissionId]);
});

test('while the first request is in progress, the same key is 409 with Retry-After', async () => {
  const refused = await eventually('two requests with one key to meet', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all(
      [api, other, api, other].map((on) => world.post(on, 'appointment-created', { appointmentId }, headers)),
    );
    expect(answers.map(({ status }) => status)).toContain(202);
    expect(await jobs()).toHaveLength(1);
    await world.jobs.drain();
    return answers.find(({ status }) => status === 409);
  });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toEqual(problemOf(409, 'IDEMPOTENCY_IN_PROGRESS'));
});

test.each([
  ['empty', ''],
  ['with a space', 'a b'],
  ['with an umlaut', 'schlüssel'],
  ['of 256 characters', 'k'.repeat(256)],
])('a key that is %s is 400', async (_, key) => {
  const response = await send(key, { appointmentId }).expect(400);
  expect(response.body).toEqual(problemOf(400, 'INVALID_IDEMPOTENCY_KEY'));
});

test('a failed request is not stored: the same key succeeds when the appointment exists', async () => {
  const key = randomUUID();
  const missing = await company.appointment();
  const { Appointment } = world.documents.models;
  const document = await Appointment.collection.findOne({ status: 'scheduled' }, { sort: { _id: -1 } });
  await Appointment.collection.deleteOne({ _id: document!._id });
  await send(key, { appointmentId: missing }).expect(404);
  await Appointment.collection.insertOne(document!);
  await send(key, { appointmentId: missing }).expect(202);
});

test('equal keys of two services are independent', async () => {
  const key = randomUUID();
  const another = await company.appointment();
  const ours = await send(key, { appointmentId }).expect(202);
  const theirs = await send(key, { appointmentId: another }).set('x-api-key', OTHER_KEY).expect(202);
  expect(theirs.body.emissionId).not.toBe(ours.body.emissionId);
  expect((await jobs()).sort()).toEqual([ours.body.emissionId, theirs.body.emissionId].sort());
});

test('a repeated batch returns the same id for each item', async () => {
  const key = randomUUID();
  const another = await company.appointment();
  const emissions = [
    { event: 'appointment:created', appointmentId },
    { event: 'appointment:moved', appointmentId },
    { event: 'appointment:created', appointmentId: another },
  ];
  const first = await send(key, { emissions }, api, 'batch').expect(202);
  const again = await send(key, { emissions }, other, 'batch').expect(202);
  expect(again.body).toEqual(first.body);
  expect([first, again].map(({ headers }) => headers['idempotency-replayed'])).toEqual([undefined, 'true']);
  expect(first.body).toMatchObject({ accepted: 2, rejected: 1 });
  expect(await jobs()).toHaveLength(2);
});

test('an expired key does not suppress another request', async () => {
  const key = randomUUID();
  const another = await company.appointment();
  const first = await send(key, { appointmentId }).expect(202);
  const kept = await world.redis.keys(`${world.env['QUEUE_PREFIX']}:idempotency:*`);
  expect(await world.redis.ttl(kept[0]!)).toBeGreaterThan(3_500);
  await world.redis.del(kept);
  const later = await send(key, { appointmentId: another }).expect(202);
  expect(later.body.emissionId).not.toBe(first.body.emissionId);
  expect(await jobs()).toHaveLength(2);
});

test('a key is valid for HTTP and the /internal namespace together', async () => {
  const key = randomUUID();
  const socket = io(`${other.url}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
  try {
    const { body } = await send(key, { appointmentId }).expect(202);
    const emit = (request: object): Promise<EmitReply> => socket.timeout(5_000).emitWithAck('emit', request);
    const again = await emit({ event: 'appointment:created', appointmentId, idempotencyKey: key });
    expect(again).toEqual({ status: 202, ...body });
    const another = await emit({ event: 'appointment:updated', appointmentId, idempotencyKey: key });
    expect(another).toEqual(problemOf(422, 'IDEMPOTENCY_KEY_REUSED'));
    expect(await jobs()).toEqual([body.emissionId]);
  } finally {
    socket.close();
  }
});

test('neither personal data nor a key is in Redis in plain text', async () => {
  const key = `key-${randomUUID()}`;
  await send(key, { appointmentId }).expect(202);
  const kept = await world.redis.keys(`${world.env['QUEUE_PREFIX']}:idempotency:*`);
  const stored = [...kept, ...(await world.redis.mget(kept))].join('\n');
  expect(stored).not.toContain(key);
  expect(stored).not.toContain(API_KEY);
});
