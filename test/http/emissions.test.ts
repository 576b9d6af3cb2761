import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { APPOINTMENT_DELETED, EVENT_SLUGS } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { EMISSIONS, post, problemOf } from './internal.ts';

const OTHER_KEY = 'other-key-0123456789-0123456789-0123456789';
const UNKNOWN_ID = 'f'.repeat(24);

let world: World;
let api: RunningApi;
let company: Company;
beforeAll(async () => {
  world = await createWorld({ env: { API_CONCURRENCY: '0' } });
  api = await world.api({ INTERNAL_SERVICE_API_KEY: `${API_KEY},${OTHER_KEY}` });
  company = await world.documents.company();
});
afterEach(() => world.jobs.drain());
afterAll(() => world.close());

const waiting = () => world.jobs.in('waiting', 'prioritized', 'delayed', 'active');

test.each(Object.entries(EVENT_SLUGS).filter(([, event]) => event !== APPOINTMENT_DELETED))(
  '%s is answered 202 and is enqueued as %s, with ids only',
  async (slug, event) => {
    const appointmentId = await company.appointment();

    const response = await post(api, slug).send({ appointmentId }).expect(202);

    const { emissionId } = response.body;
    expect(response.type).toBe('application/json');
    expect(response.body).toEqual({
      success: true,
      event,
      appointmentId,
      emissionId: expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
      statusUrl: `${EMISSIONS}/emissions/${emissionId}`,
      message: `${event} was accepted`,
      eventType: event,
    });
    expect(response.headers['location']).toBe(response.body.statusUrl);
    expect(response.headers['idempotency-replayed']).toBeUndefined();
    const [job, ...others] = await waiting();
    expect(others).toEqual([]);
    expect({ id: job!.id, name: job!.name, priority: job!.opts.priority ?? 0 }).toEqual({
      id: emissionId,
      name: event,
      priority: 0,
    });
    expect(job!.data).toEqual({
      v: 1,
      event,
      appointmentId,
      companyId: company.companyId,
      emissionId,
      acceptedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  },
);

test('an id in capitals is the same appointment, and the reply has it in lower case', async () => {
  const appointmentId = await company.appointment();
  const response = await post(api, 'appointment-created').send({
    appointmentId: appointmentId.toUpperCase(),
  });
  expect(response.status).toBe(202);
  expect(response.body.appointmentId).toBe(appointmentId);
});

const valid = 'a'.repeat(24);
test.each([
  ['no id', {}, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['null as id', { appointmentId: null }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['a number as id', { appointmentId: 123456789012345678901234 }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['an empty id', { appointmentId: '' }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['a query operator as id', { appointmentId: { $ne: null } }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['an array as id', { appointmentId: [valid] }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['an id of 23 characters', { appointmentId: valid.slice(1) }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  ['an id of 25 characters', { appointmentId: `${valid}a` }, 'INVALID_APPOINTMENT_ID', 'appointmentId'],
  [
    'an id that is not hexadecimal',
    { appointmentId: 'g'.repeat(24) },
    'INVALID_APPOINTMENT_ID',
    'appointmentId',
  ],
  [
    'an id that ends in a line break',
    { appointmentId: `${valid}\n` },
    'INVALID_APPOINTMENT_ID',
    'appointmentId',
  ],
  ['an unknown field', { appointmentId: valid, companyId: valid }, 'INVALID_REQUEST', ''],
])('a body with %s is 400 with the findings, and nothing is enqueued', async (_, body, code, path) => {
  const response = await post(api, 'appointment-created').send(body).expect(400);

  expect(response.type).toBe('application/problem+json');
  expect(response.body).toEqual(
    problemOf(400, code, {
      errors: [{ type: 'field', path, location: 'body', msg: expect.any(String) }],
    }),
  );
  expect(await waiting()).toEqual([]);
});

test('a missing body is 400 with the findings', async () => {
  const response = await post(api, 'appointment-created').expect(400);
  expect(response.body).toMatchObject({
    code: 'INVALID_APPOINTMENT_ID',
    errors: [{ path: 'appointmentId', msg: 'is required: the id of the appointment' }],
  });
});

test('a reply never repeats the request’s body', async () => {
  const secret = 'Ann Bauer, ann@example.org';
  const bodies = [{ appointmentId: secret }, { [secret]: 1, appointmentId: valid }];
  for (const body of bodies) {
    const response = await post(api, 'appointment-created').send(body).expect(400);
    expect(response.text).not.toContain('Ann');
  }
  const malformed = await post(api, 'appointment-created').type('json').send(`{"${secret}`).expect(400);
  expect(malformed.text).not.toContain('Ann');
});

test.each([
  ['malformed JSON', 'application/json', '{"appointmentId": ', 400, 'MALFORMED_JSON'],
  ['a JSON array', 'application/json', '[]', 400, 'INVALID_REQUEST'],
  ['a JSON string', 'application/json', '"abc"', 400, 'MALFORMED_JSON'],
  ['text', 'text/plain', JSON.stringify({ appointmentId: valid }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a form', 'application/x-www-form-urlencoded', `appointmentId=${valid}`, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'JSON in another charset',
    'application/json; charset=iso-8859-1',
    JSON.stringify({ appointmentId: valid }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'more than 4 kB',
    'application/json',
    JSON.stringify({ appointmentId: 'a'.repeat(5_000) }),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
] as const)('%s as %s is refused', async (_, type, body, status, code) => {
  const response = await post(api, 'appointment-created').set('content-type', type).send(body);
  expect(response.type).toBe('application/problem+json');
  expect(response.body).toEqual(problemOf(status, code));
  expect(await waiting()).toEqual([]);
});

test('a compressed body is 415 and is not decompressed', async () => {
  const body = gzipSync(JSON.stringify({ appointmentId: valid }));
  const response = await fetch(`${api.url}${EMISSIONS}/appointment-created`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-api-key': API_KEY },
    body,
  });
  expect(response.status).toBe(415);
  expect(await response.json()).toEqual(problemOf(415, 'UNSUPPORTED_MEDIA_TYPE'));
});

test('an appointment that does not exist is 404, and nothing is enqueued', async () => {
  const response = await post(api, 'appointment-updated').send({ appointmentId: UNKNOWN_ID }).expect(404);
  expect(response.body).toEqual(problemOf(404, 'APPOINTMENT_NOT_FOUND'));
  expect(await waiting()).toEqual([]);
});

test.each([
  'socket/appointment-created',
  'socket/batch',
  'socket/emissions/x',
  'socket/nothing',
  'metrics',
  'nothing',
])('/api/v1/internal/%s requires a key before anything else is checked', async (path) => {
  const url = `/api/v1/internal/${path}`;
  const without = await request(api.url).post(url).type('text/plain').send('x').expect(401);
  expect(without.body).toEqual(problemOf(401, 'API_KEY_MISSING'));
  const wrong = await request(api.url).post(url).set('x-api-key', 'wrong').send({}).expect(403);
  expect(wrong.body).toEqual(problemOf(403, 'API_KEY_WRONG'));
});

test('while keys are rotated each of them is accepted, and no part of one is', async () => {
  const appointmentId = await company.appointment();
  const withKey = (key: string) =>
    request(api.url).post(`${EMISSIONS}/appointment-created`).set('x-api-key', key).send({ appointmentId });
  await withKey(API_KEY).expect(202);
  await withKey(OTHER_KEY).expect(202);
  await withKey(`${API_KEY},${OTHER_KEY}`).expect(403);
  await withKey(API_KEY.slice(0, -1)).expect(403);
});

test('another method is 405 with the allowed one; an unknown path is 404', async () => {
  const key = { 'x-api-key': API_KEY };
  const got = await request(api.url).get(`${EMISSIONS}/appointment-created`).set(key).expect(405);
  expect(got.body).toEqual(problemOf(405, 'METHOD_NOT_ALLOWED'));
  expect(got.headers['allow']).toBe('POST');
  const deleted = await request(api.url).delete(`${EMISSIONS}/emissions/x`).set(key).expect(405);
  expect(deleted.headers['allow']).toBe('GET, HEAD');

  const unknown = await request(api.url).post(`${EMISSIONS}/appointment-moved`).set(key).expect(404);
  expect(unknown.body).toEqual(problemOf(404, 'ROUTE_NOT_FOUND'));
});

test('concurrent requests share one existence check, and each gets its own reply', async () => {
  const ids = await Promise.all(Array.from({ length: 30 }, () => company.appointment()));
  const lookups = ids.flatMap((id) => [id, UNKNOWN_ID]);
  const statuses = await Promise.all(
    lookups.map(
      async (appointmentId) => (await world.post(api, 'appointment-created', { appointmentId })).status,
    ),
  );
  expect(statuses).toEqual(ids.flatMap(() => [202, 404]));
  expect((await waiting()).map(({ data }) => data.appointmentId as string).sort()).toEqual([...ids].sort());
});
