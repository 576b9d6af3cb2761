import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { BatchReply } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { post, problemOf } from './internal.ts';

let world: World;
let api: RunningApi;
let company: Company;
let known: string;
beforeAll(async () => {
  world = await createWorld();
  api = await world.api();
  company = await world.documents.company();
  known = await company.appointment();
});
afterEach(() => world.jobs.drain());
afterAll(() => world.close());

const UNKNOWN_ID = 'f'.repeat(24);
const waiting = () => world.jobs.in('waiting', 'prioritized');
const created = (appointmentId: unknown) => ({ event: 'appointment:created', appointmentId });

test('one bad item never fails the others: each has its own result, in order', async () => {
  const emissions = [
    { event: 'appointment:created', appointmentId: known },
    { event: 'appointment:moved', appointmentId: known },
    { event: 'appointment:updated', appointmentId: 'no id' },
    null,
    { event: 'appointment:updated', appointmentId: UNKNOWN_ID },
    { event: 'appointment:updated', appointmentId: known, companyId: 'x' },
    { event: 'appointment:canceled', appointmentId: known.toUpperCase() },
  ];

  const response = await post(api, 'batch').send({ emissions }).expect(202);

  expect(response.body).toEqual({
    success: true,
    accepted: 2,
    rejected: 5,
    results: [
      { index: 0, status: 202, emissionId: expect.any(String) },
      { index: 1, status: 400, code: 'INVALID_EVENT' },
      { index: 2, status: 400, code: 'INVALID_APPOINTMENT_ID' },
      { index: 3, status: 400, code: 'INVALID_REQUEST' },
      { index: 4, status: 404, code: 'APPOINTMENT_NOT_FOUND' },
      { index: 5, status: 400, code: 'INVALID_REQUEST' },
      { index: 6, status: 202, emissionId: expect.any(String) },
    ],
  });
  const jobs = await waiting();
  const [first, , , , , , last] = response.body.results;
  expect(new Map(jobs.map(({ id, name }) => [id, name]))).toEqual(
    new Map([
      [first.emissionId, 'appointment:created'],
      [last.emissionId, 'appointment:canceled'],
    ]),
  );
  expect(jobs.map(({ data }) => data.appointmentId as string)).toEqual([known, known]);
});

test('a batch whose items are all rejected is 202 too', async () => {
  const emissions = [created(UNKNOWN_ID), created('no id')];
  const response = await post(api, 'batch').send({ emissions }).expect(202);
  expect(response.body).toMatchObject({ success: true, accepted: 0, rejected: 2 });
  expect(await waiting()).toEqual([]);
});

test('1,000 items fit, an appointment may occur twice, and each item gets its own id', async () => {
  const emissions = Array.from({ length: 1_000 }, () => ({
    event: 'appointment:canceled',
    appointmentId: known,
  }));
  // 503 if the machine is busy: with the same key the next request goes on.
  const response = await eventually('an accepted batch', async () => {
    const reply = await post(api, 'batch').set('Idempotency-Key', 'one-thousand').send({ emissions });
    return reply.status === 202 ? reply : undefined;
  });
  expect(response.body).toMatchObject({ accepted: 1_000, rejected: 0 });
  const { results } = response.body as BatchReply;
  const ids = new Set(results.map(({ emissionId }) => emissionId));
  expect(ids.size).toBe(1_000);
  expect(await world.bulk.getPrioritizedCount()).toBe(1_000);
});

test('concurrent batches share one existence check, and each gets its own results', async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, () => company.appointment()));
  const replies = await Promise.all(
    ids.map(async (id, index) => {
      // Of different lengths, so that a result that slips to a neighbour shows.
      const emissions = [...Array.from({ length: index }, () => created(UNKNOWN_ID)), created(id)];
      return (await post(api, 'batch').send({ emissions }).expect(202)).body as BatchReply;
    }),
  );
  expect(replies.map(({ accepted, rejected }) => [accepted, rejected])).toEqual(
    ids.map((_, index) => [1, index]),
  );
  const appointmentIds = new Map((await waiting()).map(({ id, data }) => [id, data.appointmentId as string]));
  expect(replies.map(({ results }) => appointmentIds.get(results.at(-1)?.emissionId))).toEqual(ids);
});

test.each([
  ['no items', { emissions: [] }],
  ['1,001 items', { emissions: Array.from({ length: 1_001 }, () => created(UNKNOWN_ID)) }],
  ['no emissions', {}],
  ['an object in place of an array', { emissions: { 0: created(UNKNOWN_ID) } }],
  ['an unknown field', { emissions: [created(UNKNOWN_ID)], priority: 0 }],
])('a batch with %s is 400, and nothing is enqueued', async (_, body) => {
  const response = await post(api, 'batch').send(body).expect(400);
  expect(response.body).toEqual(problemOf(400, 'INVALID_REQUEST', { errors: [expect.any(Object)] }));
  expect(await waiting()).toEqual([]);
});

test('a batch may have up to 128 kB, more than the other routes', async () => {
  const emissions = [created(known)];
  const bytes = (length: number) => JSON.stringify({ emissions }) + ' '.repeat(length);
  await post(api, 'batch')
    .type('json')
    .send(bytes(127 * 1_024))
    .expect(202);
  const response = await post(api, 'batch')
    .type('json')
    .send(bytes(128 * 1_024))
    .expect(413);
  expect(response.body).toEqual(problemOf(413, 'PAYLOAD_TOO_LARGE'));
});
