import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { Company } from '../harness/documents.ts';
import { ownRedis } from '../harness/own-services.ts';
import type { Spawned } from '../harness/processes.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { announceChange } from './bot.ts';
import { allEqualList, openScreen, type Screen } from './screens.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';

/** The sweep is off: final states can only come from a replay or an announced reload. */
const ENV = { RECONCILE_INTERVAL_MS: '0' };
let services: ServiceHandle[];
/** Proxy between all processes and Redis: its address stays when a replica takes over. */
let address: TcpProxy;
let world: World;
let api: Spawned;
let [busy, quiet]: Company[] = [];
let screens: Screen[];
let [announced, unannounced]: string[] = [];

beforeAll(async () => {
  const redis = await ownRedis({ extraArgs: ['--repl-diskless-sync-delay', '0'] });
  services = [redis];
  address = await startTcpProxy(redis.port);
  world = await createWorld({ redisUrl: `redis://127.0.0.1:${address.port}`, env: ENV });
  [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
});
afterAll(async () => {
  await world.close();
  await address.close();
  await Promise.all(services.map((service) => service.stop()));
});

/** Two dashboards of a busy company, and one of a company without further emissions. */
async function openScreens(): Promise<void> {
  [busy, quiet] = await Promise.all([world.documents.company(), world.documents.company()]);
  [announced, unannounced] = await Promise.all([busy.appointment(), quiet.appointment()]);
  const companies = [busy, busy, quiet];
  screens = await Promise.all(companies.map(({ companyId }) => openScreen(world, api.url, companyId)));
  await Promise.all(screens.map(({ becomes }) => becomes('live')));
  for (const notes of ['one', 'two', 'three']) await announce(notes);
  await eventually('the screens to show it', () => screens[0]!.notes(announced!) === 'three');
}

const announce = (notes: string) => announceChange(world, api, busy!, announced!, notes);

/** Writes without an emission: only a list shows them. */
async function writeUnannounced(): Promise<void> {
  await busy!.change(announced!, { notes: 'not announced' });
  await quiet!.change(unannounced!, { notes: 'not announced' });
}

async function expectReloadedOnce(): Promise<void> {
  await allEqualList(world, api, screens, 30_000);
  expect(screens.map(({ notes }, index) => notes(index < 2 ? announced! : unannounced!))).toEqual(
    Array(3).fill('not announced'),
  );
  expect(screens.map(({ reloads }) => reloads)).toEqual(Array(3).fill(['epoch']));
}

/** Events reach the dashboards again, without a reload. */
async function expectLive(): Promise<void> {
  await eventually('an emission to be accepted', async () => {
    await announce('live again');
    return true;
  });
  await allEqualList(world, api, screens);
  expect(screens.map(({ notes }) => notes(announced!))).toEqual(['live again', 'live again', undefined]);
  expect(screens.map(({ reloads }) => reloads.length)).toEqual([1, 1, 1]);
}

test('Redis is killed and restarted with its AOF: every dashboard reloads, and equals the list', async () => {
  await openScreens();
  await services[0]!.kill();
  await writeUnannounced();
  await services[0]!.restart();
  await expectReloadedOnce();
  await expectLive();
});

test('Redis is restarted without its data: offsets restart, and every dashboard detects it', async () => {
  await openScreens();
  const plain = await world.dashboard(api, busy!.companyId);
  await announce('four');
  await plain.receive(({ payload }) => payload.appointment.notes === 'four');
  const redis = services[0]!;
  await redis.kill();
  rmSync(join(redis.dir, 'appendonlydir'), { recursive: true });
  await writeUnannounced();
  await redis.restart();
  await expectReloadedOnce();
  await expectLive();

  // Negative control: a dashboard that compares offsets only ignores the new emissions.
  const last = await plain.receive(({ payload }) => payload.appointment.notes === 'live again');
  const shown = new Map<string, { offset: number; notes: string | null }>();
  for (const { payload, meta } of plain.received) {
    const { _id, notes } = payload.appointment;
    if (meta.offset > (shown.get(_id)?.offset ?? 0)) shown.set(_id, { offset: meta.offset, notes });
  }
  expect(last.meta.offset).toBe(1);
  expect(shown.get(announced!)).toEqual({ offset: 4, notes: 'four' });
});

test('FLUSHALL: dashboards that receive the next emission reload at once, all others within 10 s', async () => {
  await openScreens();
  await world.redis.flushall();
  await writeUnannounced();
  await world.emit(api, 'appointment-updated', announced!);
  await expectReloadedOnce();
  await expectLive();
});

test('a lagging replica is promoted: every dashboard reloads, and equals the list', async () => {
  const replica = await ownRedis();
  services.push(replica);
  const next = new Redis(replica.url, { replyMapping: 'legacy' });
  world.keep(next, () => {
    next.disconnect();
  });
  await next.replicaof('127.0.0.1', services[0]!.port);
  await eventually('the replica to be in step', async () =>
    (await next.info('replication')).includes('master_link_status:up'),
  );
  await openScreens();
  await next.replicaof('NO', 'ONE');
  await announce('lost with the old master');
  await eventually(
    'the screens to show it',
    () => screens[0]!.notes(announced!) === 'lost with the old master',
  );
  await writeUnannounced();
  address.leadTo(replica.port);
  address.cut();
  await expectReloadedOnce();
  await expectLive();
});

test('a master becomes a replica and keeps its connections: processes whose writes are refused connect to the new master', async () => {
  const [next, old] = services.map(({ url }) => new Redis(url, { replyMapping: 'legacy' }));
  world.keep(services, () => {
    next!.disconnect();
    old!.disconnect();
  });
  await next!.replicaof('127.0.0.1', services[1]!.port);
  await eventually('the replica to be in step', async () =>
    (await next!.info('replication')).includes('master_link_status:up'),
  );
  await openScreens();
  await next!.replicaof('NO', 'ONE');
  address.leadTo(services[0]!.port);
  await old!.replicaof('127.0.0.1', services[0]!.port);
  await writeUnannounced();
  await expectReloadedOnce();
  await expectLive();
});
