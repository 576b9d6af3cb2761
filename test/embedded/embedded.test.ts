import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { connectDashboard } from '@appointment-emissions/dashboard';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import {
  type Application,
  type ApplicationOptions,
  type Pair,
  PAIRS,
  startApplication,
} from './application.ts';

const NOBODY = 'f'.repeat(24);

let world: World;
let company: Company;
let appointmentId: string;
beforeEach(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  company = await world.documents.company();
  appointmentId = await company.appointment();
});
afterEach(() => world.close());

const login = () => ({ token: `login of ${company.companyId}` });

/** Gives an application the Redis adapter, on connections that outlive its Socket.IO server. */
function redisAdapter(key: string): NonNullable<ApplicationOptions['prepare']> {
  return async (io) => {
    const publisher = new Redis(world.env['REDIS_URL']!, { replyMapping: 'legacy' });
    const subscriber = publisher.duplicate();
    for (const client of [publisher, subscriber]) {
      world.keep(client, () => {
        client.disconnect();
      });
    }
    io.adapter(createAdapter(publisher, subscriber, { key }));
    // The adapter drops the promises of its subscriptions: they must be there before the connection can be closed.
    await subscriber.ping();
  };
}

function library(application: Application) {
  const dashboard = connectDashboard({
    url: application.url,
    getToken: () => Promise.resolve(login().token),
  });
  world.keep(dashboard, () => {
    dashboard.close();
  });
  return dashboard;
}

describe.each(PAIRS)('an application with $name', (pair: Pair) => {
  const start = (options?: ApplicationOptions) => startApplication(world, pair, options);

  test('the bot posts to the router, a worker in the process emits, and both kinds of clients receive it', async () => {
    const application = await start();
    const plain = await application.client(login());
    const guest = await application.client({ token: 'guest' });
    const other = await application.client({ token: `login of ${NOBODY}` });
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
    expect(application.lines).toContainEqual({
      level: 'info',
      message: `[InternalSocket] Accepted appointment:updated for ${appointmentId}`,
    });
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
    expect(await application.emissions.deleted(_id, undefined)).toBe(false);
  });

  test('a client that sends its position gets a replay, another one after its first catch-up', async () => {
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
      post(created, key, JSON.stringify({ appointmentId: NOBODY })),
      post('nothing', key, '{}'),
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
    expect(await emissions.canceled({ toString: () => NOBODY })).toBe(false);
    expect(await emissions.canceled(NOBODY)).toBe(false);
    expect(lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      '[InternalSocket] Failed to emit appointment:created',
      '[InternalSocket] Failed to emit appointment:canceled',
      `[InternalSocket] Failed to emit appointment:canceled for ${NOBODY}`,
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

  test('with the Redis adapter in two processes each event arrives once', async () => {
    const prepare = redisAdapter(`application-${appointmentId}`);
    const [one, two] = [await start({ prepare }), await start({ prepare })];
    const plains = await Promise.all([one.client(login()), two.client(login())]);
    await world.emit(two, 'appointment-updated', appointmentId);
    await eventually('the event on both', () => plains.every(({ received }) => received.length > 0));
    one.io.emit('news');
    await eventually('the news on both', () => plains.every(({ names }) => names().includes('news')));
    for (const { names } of plains) expect(names()).toEqual(['appointment:updated', 'news']);
  });
});

test('a Redis adapter with the key SOCKET_ADAPTER_KEY is refused', async () => {
  const prepare = redisAdapter(world.env['SOCKET_ADAPTER_KEY']!);
  await expect(startApplication(world, PAIRS[0], { prepare })).rejects.toThrow('SOCKET_ADAPTER_KEY');
});
