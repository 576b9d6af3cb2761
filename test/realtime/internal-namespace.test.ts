import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { EmitReply } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { attachInternalNamespace } from '../../src/realtime/internal-namespace.ts';
import { freeze, ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { problemOf } from '../http/internal.ts';

let redis: ServiceHandle;
let mongo: ServiceHandle;
let world: World;
let api: RunningApi;
let appointmentId: string;
let socket: Socket;
beforeAll(async () => {
  [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  world = await createWorld({ redisUrl: redis.url, mongoUri: mongo.url });
  api = await world.api();
  appointmentId = await (await world.documents.company()).appointment();
  socket = connect({ apiKey: API_KEY });
});
afterAll(async () => {
  socket.close();
  await world.close();
  await Promise.all([redis.stop(), mongo.stop()]);
});

const connect = (auth: object) => io(`${api.url}/internal`, { forceNew: true, reconnection: false, auth });
const emit = (request: unknown): Promise<EmitReply> =>
  socket.timeout(5_000).emitWithAck('emit', request) as Promise<EmitReply>;
const created = (more: object = {}) => ({ event: 'appointment:created', appointmentId, ...more });

test.each([
  ['no key', {}, 'API_KEY_MISSING'],
  ['a key that is no string', { apiKey: ['x'] }, 'API_KEY_MISSING'],
  ['a wrong key', { apiKey: 'wrong' }, 'API_KEY_WRONG'],
  ['a dashboard’s token', { token: 'x' }, 'API_KEY_MISSING'],
])('a service with %s is refused', async (_, auth, code) => {
  const refused = connect(auth);
  const error = await until(
    'the refusal',
    new Promise<Error>((resolve) => refused.once('connect_error', resolve)),
  ).finally(() => refused.close());
  expect(error.message).toBe(code);
});

describe('an emission is answered with the body and status of HTTP', () => {
  test('202, and the job is in the queue', async () => {
    const reply = await emit(created());
    const { emissionId } = reply;
    expect(reply).toEqual({
      status: 202,
      success: true,
      event: 'appointment:created',
      appointmentId,
      emissionId: expect.any(String),
      statusUrl: `/api/v1/internal/socket/emissions/${String(emissionId)}`,
      message: 'appointment:created was accepted',
      eventType: 'appointment:created',
    });
    expect((await world.queue.getJob(String(emissionId)))?.data).toMatchObject({ appointmentId });
  });

  const valid = 'a'.repeat(24);
  const event = 'appointment:created';
  test.each([
    ['nothing', undefined, 'INVALID_REQUEST'],
    ['a string', 'x', 'INVALID_REQUEST'],
    ['an unknown event', { event: 'appointment:moved', appointmentId: valid }, 'INVALID_EVENT'],
    [
      'a key that is no string',
      { event, appointmentId: valid, idempotencyKey: 1 },
      'INVALID_IDEMPOTENCY_KEY',
    ],
    ['a malformed key', { event, appointmentId: valid, idempotencyKey: 'a b' }, 'INVALID_IDEMPOTENCY_KEY'],
  ])('400 for %s', async (_, request, code) => {
    expect(await emit(request)).toEqual(problemOf(400, code));
  });

  test.each([
    ['no id', {}],
    ['an operator as id', { appointmentId: { $ne: '' } }],
    ['an unknown field', { appointmentId: valid, companyId: 'x' }],
  ])('400 for %s, with HTTP’s findings', async (_, body) => {
    const overHttp = await world.post(api, 'appointment-created', body);
    expect(overHttp.status).toBe(400);
    expect(await emit({ event, ...body })).toEqual(await overHttp.json());
  });

  test('404 for an appointment that does not exist', async () => {
    const reply = await emit(created({ appointmentId: 'f'.repeat(24) }));
    expect(reply).toEqual(problemOf(404, 'APPOINTMENT_NOT_FOUND'));
  });

  test('202 again for a repeated key, 422 for the same key with another request', async () => {
    const idempotencyKey = randomUUID();
    const first = await emit(created({ idempotencyKey }));
    expect(await emit(created({ idempotencyKey }))).toEqual(first);
    expect(await emit(created({ idempotencyKey, event: 'appointment:updated' }))).toEqual(
      problemOf(422, 'IDEMPOTENCY_KEY_REUSED'),
    );
  });

  test('409 with retryAfter while the first request is in progress', async () => {
    const conflict = await eventually('two requests with one key to meet', async () => {
      const request = created({ idempotencyKey: randomUUID() });
      const replies = await Promise.all([emit(request), emit(request), emit(request)]);
      expect(replies.map(({ status }) => status)).toContain(202);
      return replies.find(({ status }) => status === 409);
    });
    expect(conflict).toEqual(problemOf(409, 'IDEMPOTENCY_IN_PROGRESS', { retryAfterSeconds: 1 }));
  });

  test('500 while MongoDB is frozen', async () => {
    await freeze(mongo);
    try {
      expect(await emit(created())).toEqual(problemOf(500, 'DATABASE_ERROR'));
    } finally {
      await mongo.kill('SIGCONT');
    }
    await eventually('it to be accepted again', async () => (await emit(created())).status === 202);
  });

  test('503 with retryAfter while Redis is frozen', async () => {
    await freeze(redis);
    try {
      const reply = await emit(created({ idempotencyKey: randomUUID() }));
      expect(reply).toEqual(problemOf(503, 'QUEUE_UNAVAILABLE', { retryAfterSeconds: 1 }));
    } finally {
      await redis.kill('SIGCONT');
    }
    await eventually('it to be accepted again', async () => (await emit(created())).status === 202);
  });
});

test('a request without an acknowledgement, or an unknown event, has no effect', async () => {
  const before = await world.queue.count();
  socket.emit('emit', created());
  socket.emit('delete', created(), () => undefined);
  await emit({});
  expect(await world.queue.count()).toBe(before);
});

test('events for dashboards are not sent to services', async () => {
  const received: string[] = [];
  socket.onAny((name: string) => received.push(name));
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const worker = world.worker();
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  await emit({});
  expect(received).toEqual([]);
  await worker.close();
});

test('a request that fails unexpectedly is reported, and the process goes on', async () => {
  const http = createServer();
  const server = new Server(http);
  const faults: unknown[] = [];
  const defect = new Error('a defect');
  attachInternalNamespace({
    io: server,
    verifyKey: () => 'fingerprint',
    emit: () => Promise.reject(defect),
    onFault: (error) => faults.push(error),
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const service = io(`http://127.0.0.1:${port}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
  service.emit('emit', created(), () => undefined);
  try {
    await eventually('the fault', () => faults.length > 0);
  } finally {
    service.close();
    await server.close();
  }
  expect(faults).toEqual([defect]);
});
