import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { FleetMetricsReading } from '@appointment-emissions/contracts';
import { connectDashboard } from '@appointment-emissions/dashboard';
import type { Company } from '../harness/documents.ts';
import { freePort } from '../../scripts/process/free-port.ts';
import type { ConfigError } from '../../src/config.ts';
import { createEmissions, type EmissionsOptions } from '../../src/embedded/index.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, type World } from '../harness/world.ts';
import {
  type Application,
  type ApplicationOptions,
  createEmbeddedWorld,
  type Pair,
  PAIRS,
  startApplication,
} from './application.ts';

/** Of no document. */
const UNKNOWN_ID = 'f'.repeat(24);

let world: World;
let company: Company;
let appointmentId: string;
/** Of the company. */
let token: string;
beforeEach(async () => {
  ({ world, company, appointmentId } = await createEmbeddedWorld());
  token = await world.token(company.companyId);
});
afterEach(() => world.close());

const login = () => ({ token });

function library(application: Application) {
  const dashboard = connectDashboard({
    url: application.url,
    getToken: () => Promise.resolve(token),
  });
  world.keep(dashboard, () => {
    dashboard.close();
  });
  return dashboard;
}

/** What authenticateInternalService reads, as an editor may save it. */
const { INTERNAL_SERVICE_API_KEY } = process.env;
beforeAll(() => {
  process.env.INTERNAL_SERVICE_API_KEY = `\ufeff${API_KEY}, ${UNKNOWN_ID}`;
});
afterAll(() => {
  if (INTERNAL_SERVICE_API_KEY === undefined) delete process.env.INTERNAL_SERVICE_API_KEY;
  else process.env.INTERNAL_SERVICE_API_KEY = INTERNAL_SERVICE_API_KEY;
});

describe.each(PAIRS)('an application with $name', (pair: Pair) => {
  const start = (options?: ApplicationOptions) => startApplication(world, pair, options);

  test('the bot posts to the router, a worker in the process emits, and both kinds of clients receive it', async () => {
    const application = await start();
    const plain = await application.client(login());
    const guest = await application.client({ token: 'guest' });
    const other = await application.client({ token: await world.token(UNKNOWN_ID) });
    const dashboard = library(application);
    await eventually('the library to be live', () => dashboard.state === 'live');

    const emissionId = await world.emit(application, 'appointment-created', appointmentId);
    await eventually('the plain client', () => plain.received.length > 0);
    const [first] = plain.received;
    expect(first).toMatchObject({
      event: 'appointment:created',
      args: [{ appointment: { _id: appointmentId, petId: { name: 'Rex' } } }, { emissionId, offset: 1 }],
    });
    await eventually('the library', () => dashboard.position?.offset === 1);

    await company.change(appointmentId, { notes: 'changed by the application' });
    const { Types } = application.connection.base;
    expect(await application.emissions.updated(new Types.ObjectId(appointmentId))).toBe(true);
    await eventually('the second event', () => plain.received.length > 1);
    expect(plain.names()).toEqual(['appointment:created', 'appointment:updated']);
    expect(plain.received[1]?.args[0]).toMatchObject({
      appointment: { notes: 'changed by the application' },
    });
    expect(guest.received).toEqual([]);
    expect(other.received).toEqual([]);
    expect(application.lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        message: `[InternalSocket] Accepted appointment:updated for ${appointmentId}`,
      }),
    );
  });

  test('a separate worker process emits for it', async () => {
    const application = await start({ worker: false });
    const plain = await application.client(login());
    await world.workerProcess();
    await world.emit(application, 'appointment-created', appointmentId);
    await eventually('the event', () => plain.received.length > 0, 30_000);
    expect(plain.names()).toEqual(['appointment:created']);
  });

  test('a deletion by the application reaches its dashboards', async () => {
    const application = await start();
    const plain = await application.client(login());
    const { Types } = application.connection.base;
    const _id = new Types.ObjectId(appointmentId);
    await application.connection.db!.collection('appointments').deleteOne({ _id });
    expect(await application.emissions.deleted(_id, company.companyId)).toBe(true);
    await eventually('the deletion', () => plain.received.length > 0);
    expect(plain.received[0]).toMatchObject({
      event: 'appointment:deleted',
      args: [{ appointment: { _id: appointmentId, companyId: company.companyId } }, { offset: 1 }],
    });
  });

  test('a client that sends its position at connect gets a replay; another client gets it after its first catch-up', async () => {
    const application = await start();
    const early = await application.client({ ...login(), positions: true });
    await eventually('a position', () => early.names().includes('emissions:position'));
    const position = early.received[0]?.args[0] as { epoch: string; offset: number };
    early.socket.close();
    const emissionId = await world.emit(application, 'appointment-updated', appointmentId);
    await world.jobIn(emissionId, 'completed');

    const back = await application.client({ ...login(), position });
    await eventually('the replay', () => back.received.length > 1);
    expect(back.received.slice(0, 2)).toMatchObject([
      { event: 'appointment:updated', args: [{}, { replayed: true }] },
      { event: 'emissions:position', args: [{ offset: 1, recovered: true }] },
    ]);
    const plain = await application.client(login());
    const reply = (await plain.socket.timeout(5_000).emitWithAck('emissions:catch-up', position)) as object;
    expect(reply).toMatchObject({ offset: 1, recovered: true });
    expect(plain.names()).toContain('appointment:updated');
  });

  test('the application keeps its own routes, events, binary data and broadcasts', async () => {
    const application = await start({ worker: false });
    const plain = await application.client(login());
    expect(await (await fetch(`${application.url}/own`)).json()).toEqual({ own: true });
    expect(await plain.socket.timeout(5_000).emitWithAck('file', Buffer.alloc(60_000))).toBe(60_000);
    application.io.emit('news', 'for all');
    await eventually('its own event', () => plain.received.length > 0);
    expect(plain.received).toEqual([{ event: 'news', args: ['for all'] }]);
    await expect(application.client({ token: 'forged' })).rejects.toThrow('not logged in');
  });

  test('the router leaves other routes below its mount to the application', async () => {
    const { url } = await start({ worker: false });
    const status = async (method: string, path: string, key?: string) => {
      const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key };
      return (await fetch(`${url}/api/v1/internal/${path}`, { method, headers })).status;
    };
    expect(await status('POST', 'own')).toBe(200);
    expect(await status('GET', 'metrics')).toBe(401);
    expect(await status('GET', 'metrics', API_KEY)).toBe(200);
    expect(await status('GET', 'socket/own')).toBe(401);
    expect(await status('GET', 'socket/own', API_KEY)).toBe(404);
  });

  test('authenticateInternalService requires the key for a route of the application', async () => {
    const { url } = await start({ worker: false });
    const read = async (headers: Record<string, string>) => {
      const response = await fetch(`${url}/api/v1/internal/reports`, { headers });
      const { code, own } = (await response.json()) as { code?: string; own?: boolean };
      return { status: response.status, answer: code ?? own };
    };
    expect(await read({})).toEqual({ status: 401, answer: 'API_KEY_MISSING' });
    expect(await read({ 'x-api-key': 'wrong' })).toEqual({ status: 403, answer: 'API_KEY_WRONG' });
    expect(await read({ 'x-api-key': API_KEY })).toEqual({ status: 200, answer: true });
  });

  test('the router answers refusals and unknown routes itself', async () => {
    const application = await start({ worker: false });
    const post = (path: string, headers: Record<string, string>, body: string) =>
      fetch(`${application.url}/api/v1/internal/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
    const created = 'socket/appointment-created';
    const key = { 'x-api-key': world.env['INTERNAL_SERVICE_API_KEY']! };
    const codes = [
      post(created, {}, '{}'),
      post(created, { 'x-api-key': 'wrong' }, '{}'),
      post(created, key, '{'),
      post(created, key, '{"appointmentId": "x"}'),
      post(created, key, JSON.stringify({ appointmentId: UNKNOWN_ID })),
      post('socket/nothing', key, '{}'),
    ].map(async (response) => {
      const { status } = await response;
      const { code } = (await (await response).json()) as { code: string };
      return `${status} ${code}`;
    });
    expect(await Promise.all(codes)).toEqual([
      '401 API_KEY_MISSING',
      '403 API_KEY_WRONG',
      '400 MALFORMED_JSON',
      '400 INVALID_APPOINTMENT_ID',
      '404 APPOINTMENT_NOT_FOUND',
      '404 ROUTE_NOT_FOUND',
    ]);
  });

  test('a call for no id, or for an unknown one, is false and logged', async () => {
    const { emissions, lines } = await start({ worker: false });
    expect(await emissions.created(undefined)).toBe(false);
    expect(await emissions.canceled({ toString: () => UNKNOWN_ID })).toBe(false);
    expect(await emissions.canceled(UNKNOWN_ID)).toBe(false);
    expect(lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      '[InternalSocket] Failed to emit appointment:created',
      '[InternalSocket] Failed to emit appointment:canceled',
      `[InternalSocket] Failed to emit appointment:canceled for ${UNKNOWN_ID}`,
    ]);
  });

  test('a call with wrong arguments is false and logged, and never rejects', async () => {
    const { emissions, lines } = await start({ worker: false });
    const broken = {
      toHexString() {
        throw new Error('broken');
      },
    };
    expect(await emissions.updated(broken)).toBe(false);
    expect(await emissions.deleted(appointmentId, broken)).toBe(false);
    expect(await emissions.updated(appointmentId, { session: {} as never })).toBe(false);
    expect(await emissions.updated(appointmentId, null as never)).toBe(true);
    const errors = lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ fields }) => (fields as { error: string }).error)).toEqual([
      'the appointment id is not an ObjectId',
      'the company id is not an ObjectId',
      "the session is not one of MongoDB's driver: pass { session } as mongoose returns it",
    ]);
  });

  test('close can be called twice, and leaves the connection and the Socket.IO server open', async () => {
    const application = await start();
    const plain = await application.client(login());
    await application.emissions.close();
    await application.emissions.close();
    expect(application.connection.readyState).toBe(1);
    application.io.emit('news');
    await eventually('its own event', () => plain.names().includes('news'));
  });
});

test('wrong options are refused at once, each with what to pass', async () => {
  const { connection, io, emissions } = await startApplication(world, PAIRS[0], {
    attach: false,
    worker: false,
  });
  const right = { connection, redis: world.env['REDIS_URL']!, settings: world.env };
  const problemsOf = (options: object | undefined) => {
    try {
      createEmissions(options as EmissionsOptions);
    } catch (error) {
      return (error as ConfigError).problems;
    }
    throw new Error('it was created');
  };
  const wrongConnection = 'connection must be a connection of mongoose, such as mongoose.connection';
  const wrongRedis = 'redis must be the URL of a Redis server, such as redis://localhost:6379';
  const wrongCompanyOf = 'companyOf must be a function, such as (socket) => socket.data.user.companyId';
  const wrongIo = 'io must be a Socket.IO server: new Server(httpServer)';
  expect(problemsOf(undefined)).toEqual([wrongConnection, wrongRedis]);
  for (const given of [connection.base, connection.getClient(), connection.db, connection.asPromise()])
    expect(problemsOf({ ...right, connection: given })).toEqual([wrongConnection]);
  expect(problemsOf({ ...right, redis: { host: 'localhost' } })).toEqual([wrongRedis]);
  expect(problemsOf({ ...right, settings: { EMISSION_ATTEMPTS: 5 } })).toEqual([
    'settings: EMISSION_ATTEMPTS must be text, but is of type number',
  ]);
  expect(problemsOf({ ...right, io })).toEqual([wrongCompanyOf]);
  expect(problemsOf({ ...right, io: createServer(), companyOf: 'companyId' })).toEqual([
    wrongIo,
    wrongCompanyOf,
  ]);
  await expect(emissions.attach(io, undefined as never)).rejects.toThrow(wrongCompanyOf);
  await expect(emissions.attach(undefined as never, { companyOf: String })).rejects.toThrow(wrongIo);
  expect(() => emissions.dashboardRouter({} as never)).toThrow(
    'companyOf must be a function, such as (req) => req.user.companyId',
  );
});

test('a second pipeline is refused on the same Socket.IO server until the first is closed', async () => {
  const { connection, io, emissions } = await startApplication(world, PAIRS[0], { worker: false });
  const second = createEmissions({ connection, redis: world.env['REDIS_URL']!, settings: world.env });
  world.keep(second, second.close);
  const companyOf = () => undefined;
  await expect(second.attach(io, { companyOf })).rejects.toThrow('another pipeline is attached');
  await emissions.close();
  await second.attach(io, { companyOf });
  await expect(emissions.attach(io, { companyOf })).rejects.toThrow('the pipeline is closed');
});

test('if a part of the pipeline throws, everything that is open is closed', async () => {
  const { connection } = await startApplication(world, PAIRS[0], { attach: false, worker: false });
  const before = connection.listenerCount('disconnected');
  const create = () =>
    createEmissions({
      connection,
      redis: world.env['REDIS_URL']!,
      get settings() {
        if (connection.listenerCount('disconnected') > before) throw new Error('cannot be read');
        return world.env;
      },
    });
  expect(create).toThrow('cannot be read');
  await eventually('all to be closed', () => connection.listenerCount('disconnected') === before);
});

test('a process is in the fleet before it attaches dashboards, and afterwards as a gateway too', async () => {
  const application = await startApplication(world, PAIRS[0], { attach: false, worker: false });
  const roles = async () => {
    const response = await fetch(`${application.url}/api/v1/internal/metrics`, {
      headers: { 'x-api-key': API_KEY },
    });
    const { fleet } = (await response.json()) as FleetMetricsReading;
    return Object.entries(fleet.processes).flatMap(([role, all]) => all.map(() => role));
  };
  await eventually('its heartbeat', async () => (await roles()).length > 0);
  expect(await roles()).toEqual(['api']);
  await application.attach();
  await eventually('the heartbeat of the gateway', async () => (await roles()).length > 1);
  expect(await roles()).toEqual(['api', 'gateway']);
});

test('the log reports a reference that never resolves', async () => {
  await world.documents.models.Customer.collection.deleteMany({});
  const { lines } = await startApplication(world, PAIRS[0], { attach: false, worker: false });
  await eventually('the line', () => lines.some(({ message }) => message === 'reference never resolves'));
  expect(lines.find(({ message }) => message === 'reference never resolves')).toMatchObject({
    level: 'warning',
    fields: { field: 'customerId', collection: 'customers' },
  });
});

test('the log reports once that Redis has no database of the number in the URL, and attach rejects', async () => {
  const url = new URL(world.env['REDIS_URL']!);
  url.pathname = '/9999';
  const { lines, attach } = await startApplication(world, PAIRS[0], {
    redis: url.href,
    worker: false,
    attach: false,
  });
  const reports = () => lines.filter(({ message }) => message === 'configuration not usable');
  await expect(attach()).rejects.toThrow('REDIS_URL names a database');
  await eventually('the line', () => reports().length > 0);
  expect(reports()).toMatchObject([
    { level: 'error', fields: { error: expect.stringContaining('REDIS_URL names a database') } },
  ]);
});

test('close() ends a worker whose Redis is not available, with no wait for a reply', async () => {
  const redis = `redis://127.0.0.1:${await freePort()}`;
  const { emissions, lines } = await startApplication(world, PAIRS[0], { redis, attach: false });
  await eventually('the line', () => lines.some(({ message }) => message === 'redis unavailable'));
  await until('the end', emissions.close(), 5_000);
  expect(lines.filter(({ message }) => message === 'not closed cleanly')).toEqual([]);
});
