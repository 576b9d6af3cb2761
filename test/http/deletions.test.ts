import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';
import type { BatchReply, EmitReply } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { EMISSIONS, post, problemOf } from './internal.ts';

const EVENT = 'appointment:deleted';
const GONE = 'f'.repeat(24);
const OTHER_COMPANY = 'e'.repeat(24);

let world: World;
let api: RunningApi;
let company: Company;
let companyId: string;
let existing: string;
beforeAll(async () => {
  world = await createWorld({ env: { API_CONCURRENCY: '0' } });
  api = await world.api();
  company = await world.documents.company();
  companyId = company.companyId;
  existing = await company.appointment();
});
afterEach(() => world.jobs.drain());
afterAll(() => world.close());

const waiting = () => world.jobs.in('waiting', 'prioritized', 'delayed', 'active');
const remove = (body: object) => post(api, 'appointment-deleted').send(body);

test.each([
  ['does not exist', () => GONE],
  ['still exists', () => existing],
])('the deletion of an appointment that %s is accepted for the given company, as ids only', async (_, id) => {
  const body = { appointmentId: id().toUpperCase(), companyId: companyId.toUpperCase() };
  const response = await remove(body).expect(202);
  const { emissionId } = response.body;
  expect(response.body).toEqual({
    success: true,
    event: EVENT,
    appointmentId: id(),
    emissionId: expect.any(String),
    statusUrl: `${EMISSIONS}/emissions/${emissionId}`,
    message: `${EVENT} was accepted`,
    eventType: EVENT,
  });
  const [job, ...others] = await waiting();
  expect(others).toEqual([]);
  expect(job!.data).toEqual({
    v: 1,
    event: EVENT,
    appointmentId: id(),
    companyId,
    emissionId,
    acceptedAt: expect.any(String),
  });
});

test('an appointment that exists in another company is 404, and nothing is enqueued', async () => {
  const response = await remove({ appointmentId: existing, companyId: OTHER_COMPANY }).expect(404);
  expect(response.body).toEqual(problemOf(404, 'COMPANY_MISMATCH'));
  expect(response.text).not.toContain(companyId);
  expect(await waiting()).toEqual([]);
});

test('an appointment that exists with an unreadable company is 404 for every event, and nothing is enqueued', async () => {
  const { insertedId } = await world.models
    .appointments()
    .insertOne({ companyId: 'none', start: new Date() });
  const appointmentId = insertedId.toHexString();
  const deletion = await remove({ appointmentId, companyId }).expect(404);
  expect(deletion.body).toEqual(problemOf(404, 'COMPANY_MISMATCH'));
  const update = await post(api, 'appointment-updated').send({ appointmentId }).expect(404);
  expect(update.body).toEqual(problemOf(404, 'APPOINTMENT_NOT_FOUND'));
  expect(await waiting()).toEqual([]);
});

test.each([
  ['no company', { appointmentId: GONE }, 'INVALID_COMPANY_ID', 'companyId'],
  ['null as company', { appointmentId: GONE, companyId: null }, 'INVALID_COMPANY_ID', 'companyId'],
  [
    'an operator as company',
    { appointmentId: GONE, companyId: { $ne: 1 } },
    'INVALID_COMPANY_ID',
    'companyId',
  ],
  ['a short company', { appointmentId: GONE, companyId: 'abc' }, 'INVALID_COMPANY_ID', 'companyId'],
  ['no appointment', { companyId: OTHER_COMPANY }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['an unknown field', { appointmentId: GONE, companyId: OTHER_COMPANY, reason: 'x' }, 'INVALID_REQUEST', ''],
])('a body with %s is 400 with the findings, and nothing is enqueued', async (_, body, code, path) => {
  const response = await remove(body).expect(400);
  expect(response.body).toEqual(
    problemOf(400, code, { errors: [{ type: 'field', path, location: 'body', msg: expect.any(String) }] }),
  );
  expect(await waiting()).toEqual([]);
});

/** If the machine is busy, a batch gets 500 or 503. With the same key the next request goes on. */
const acceptedBatch = (key: string, emissions: readonly object[]) =>
  eventually('an accepted batch', async () => {
    const reply = await post(api, 'batch').set('Idempotency-Key', key).send({ emissions });
    return reply.status === 202 ? reply : undefined;
  });

test('a batch contains deletions, each with its own result; the other events must not name a company', async () => {
  const emissions = [
    { event: EVENT, appointmentId: GONE, companyId },
    { event: EVENT, appointmentId: existing, companyId: OTHER_COMPANY },
    { event: EVENT, appointmentId: existing, companyId: companyId.toUpperCase() },
    { event: EVENT, appointmentId: GONE },
    { event: EVENT, appointmentId: GONE, companyId: 7 },
    { event: EVENT, appointmentId: 'x', companyId },
    { event: EVENT, appointmentId: GONE, companyId, reason: 'x' },
    { event: 'appointment:updated', appointmentId: existing, companyId },
    { event: 'appointment:updated', appointmentId: GONE },
    { event: 'appointment:updated', appointmentId: existing },
  ];
  const key = randomUUID();
  const send = () => acceptedBatch(key, emissions);
  const first = await send();
  const { results } = first.body as BatchReply;
  expect(results.map(({ code, status }) => code ?? status)).toEqual([
    202,
    'COMPANY_MISMATCH',
    202,
    'INVALID_COMPANY_ID',
    'INVALID_COMPANY_ID',
    'INVALID_APPOINTMENT_ID',
    'INVALID_REQUEST',
    'INVALID_REQUEST',
    'APPOINTMENT_NOT_FOUND',
    202,
  ]);
  expect(results[1]).toEqual({ index: 1, status: 404, code: 'COMPANY_MISMATCH' });
  expect((await send()).body).toEqual(first.body);
  const jobs = await waiting();
  expect(jobs.map(({ name, data }) => [name, data.appointmentId, data.companyId]).sort()).toEqual([
    [EVENT, existing, companyId],
    [EVENT, GONE, companyId],
    ['appointment:updated', existing, companyId],
  ]);
});

test('1,000 deletions fit into one batch', async () => {
  const emissions = Array.from({ length: 1_000 }, () => ({ event: EVENT, appointmentId: GONE, companyId }));
  const response = await acceptedBatch('one-thousand', emissions);
  expect(response.body).toMatchObject({ accepted: 1_000, rejected: 0 });
});

test('an Idempotency-Key covers the company: a repetition is answered as before, another company is 422', async () => {
  const key = randomUUID();
  const send = (body: object) => remove(body).set('Idempotency-Key', key);
  const first = await send({ appointmentId: GONE, companyId }).expect(202);
  const again = await send({ appointmentId: GONE, companyId: companyId.toUpperCase() }).expect(202);
  expect(again.body).toEqual(first.body);
  expect(again.headers['idempotency-replayed']).toBe('true');
  const other = await send({ appointmentId: GONE, companyId: OTHER_COMPANY }).expect(422);
  expect(other.body).toEqual(problemOf(422, 'IDEMPOTENCY_KEY_REUSED'));
  expect(await waiting()).toHaveLength(1);
});

test('the /internal namespace answers as HTTP does, and shares its idempotency keys', async () => {
  const socket = io(`${api.url}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
  world.keep(socket, () => socket.close());
  const emit = (request: object) =>
    until(
      'an acknowledgement',
      socket.emitWithAck('emit', { event: EVENT, ...request }) as Promise<EmitReply>,
    );
  const idempotencyKey = randomUUID();
  const body = { appointmentId: GONE, companyId };
  const accepted = await emit({ ...body, idempotencyKey });
  const overHttp = await remove(body).set('Idempotency-Key', idempotencyKey).expect(202);
  expect(accepted).toEqual({ status: 202, ...overHttp.body });
  for (const refused of [{ appointmentId: GONE }, { appointmentId: existing, companyId: OTHER_COMPANY }]) {
    const { body: expected } = await remove(refused);
    expect(await emit(refused)).toEqual(expected);
  }
});
