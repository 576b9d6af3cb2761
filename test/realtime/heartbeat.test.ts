import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { io as connect, type Socket } from 'socket.io-client';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { connectDashboard, type Dashboard } from '@appointment-emissions/dashboard';
import type { RunningApi } from '../../src/api/start-api.ts';
import { freeze, ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

/** A position or a heartbeat is promised to each socket within that. */
const PROMISED_MS = 10_000;
/** How long the library waits for one. */
const SILENCE_MS = 25_000;
const ALLOWANCE_MS = 5_000;

let redis: ServiceHandle;
let mongo: ServiceHandle;
let world: World;
let api: RunningApi;
let token: string;
beforeEach(async () => {
  [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  world = await createWorld({ redisUrl: redis.url, mongoUri: mongo.url });
  api = await world.ready(world.api());
  const { companyId } = await world.documents.company();
  token = await world.token(companyId);
  await untilMongoIsRead();
}, 60_000);
afterEach(async () => {
  await Promise.all([redis, mongo].map((server) => server.kill('SIGCONT')));
  await world.close();
  await Promise.all([redis.stop(), mongo.stop()]);
}, 60_000);

/** A plain socket, as in an application, with its positions and heartbeats. */
function plain() {
  const socket: Socket = connect(api.url, { auth: { token }, forceNew: true, transports: ['websocket'] });
  world.keep(socket, () => socket.close());
  const heartbeats: { reads: boolean }[] = [];
  socket.on('emissions:alive', (alive: { reads: boolean }) => heartbeats.push(alive));
  return { socket, heartbeats };
}

/** Heartbeats contain `reads: false` until the gateway has read MongoDB once, which can take long on a busy machine. */
async function untilMongoIsRead(): Promise<void> {
  const { socket, heartbeats } = plain();
  await eventually('MongoDB to be read', () => heartbeats.some(({ reads }) => reads), 30_000);
  socket.close();
}

async function live(): Promise<Dashboard> {
  const dashboard = connectDashboard({
    url: api.url,
    getToken: () => Promise.resolve(token),
    socketOptions: { transports: ['websocket'] },
  });
  world.keep(dashboard, () => {
    dashboard.close();
  });
  await eventually('to be live', () => dashboard.state === 'live');
  return dashboard;
}

const becomes = (dashboard: Dashboard, state: Dashboard['state'], withinMs: number) =>
  eventually(`the state ${state}`, () => dashboard.state === state, withinMs);

test('a heartbeat with the state of MongoDB reaches each socket at least every 10 s', async () => {
  const sockets = [plain(), plain()];
  for (const count of [1, 2]) {
    await eventually(
      `heartbeat ${count} on each socket`,
      () => sockets.every(({ heartbeats }) => heartbeats.length >= count),
      PROMISED_MS,
    );
  }
  for (const { heartbeats } of sockets)
    for (const heartbeat of heartbeats) expect(heartbeat).toEqual({ reads: true });
}, 60_000);

test('MongoDB is frozen: a heartbeat reports it within 10 s, and the dashboard is not live until it thaws', async () => {
  const dashboard = await live();
  const { heartbeats } = plain();
  await freeze(mongo);
  await eventually('reads: false', () => heartbeats.some(({ reads }) => !reads), PROMISED_MS);
  await becomes(dashboard, 'stale', ALLOWANCE_MS);
  expect(dashboard.notLiveSince).toBeInstanceOf(Date);
  await mongo.kill('SIGCONT');
  await becomes(dashboard, 'live', PROMISED_MS + ALLOWANCE_MS);
  expect(dashboard.notLiveSince).toBeUndefined();
}, 120_000);

test('Redis is frozen: no heartbeat is sent, and after 25 s the dashboard is not live until it thaws', async () => {
  const dashboard = await live();
  const { socket, heartbeats } = plain();
  await eventually('a heartbeat', () => heartbeats.length > 0, PROMISED_MS);
  await freeze(redis);
  const frozenAt = Date.now();
  await becomes(dashboard, 'stale', SILENCE_MS + ALLOWANCE_MS);
  const before = heartbeats.length;
  expect(dashboard.notLiveSince!.getTime()).toBeLessThan(frozenAt + ALLOWANCE_MS);
  expect(socket.connected).toBe(true);
  await redis.kill('SIGCONT');
  await becomes(dashboard, 'live', PROMISED_MS + ALLOWANCE_MS);
  await eventually('a heartbeat again', () => heartbeats.length > before, PROMISED_MS + ALLOWANCE_MS);
}, 120_000);

test('Redis is stopped: after 25 s the dashboard is not live until Redis is back', async () => {
  const dashboard = await live();
  await redis.stop();
  await becomes(dashboard, 'stale', SILENCE_MS + ALLOWANCE_MS);
  await redis.restart();
  await eventually(
    'to be live',
    () => dashboard.state === 'live' || dashboard.state === 'reload-needed',
    30_000,
  );
}, 120_000);
