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
import { tellChange } from './bot.ts';
import { allEqualList, openScreen, type Screen } from './screens.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';

/** The sweep is off: what a screen shows at the end came by a replay, or by a reload that was announced. */
const ENV = { RECONCILE_INTERVAL_MS: '0' };
let services: ServiceHandle[];
/** All processes' way to Redis: the address that stays when a replica takes over. */
let address: TcpProxy;
let world: World;
let api: Spawned;
let [busy, quiet]: Company[] = [];
let screens: Screen[];
let [told, untold]: string[] = [];

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

/** Two screens of a company that something happens in, one of a company in which nothing is emitted any more. */
async function openScreens(): Promise<void> {
  [busy, quiet] = await Promise.all([world.documents.company(), world.documents.company()]);
  [told, untold] = await Promise.all([busy.appointment(), quiet.appointment()]);
  const companies = [busy, busy, quiet];
  screens = await Promise.all(companies.map(({ companyId }) => openScreen(world, api.url, companyId)));
  await Promise.all(screens.map(({ becomes }) => becomes('live')));
  for (const notes of ['one', 'two', 'three']) await tell(notes);
  await eventually('the screens to show it', () => screens[0]!.notes(told!) === 'three');
}

const tell = (notes: string) => tellChange(world, api, busy!, told!, notes);

/** Writes that no emission tells of: only a list shows them. */
async function writeUnheard(): Promise<void> {
  await busy!.change(told!, { notes: 'unheard' });
  await quiet!.change(untold!, { notes: 'unheard' });
}

async function expectReloadedOnce(): Promise<void> {
  await allEqualList(world, api, screens, 30_000);
  expect(screens.map(({ notes }, index) => notes(index < 2 ? told! : untold!))).toEqual(
    Array(3).fill('unheard'),
  );
  expect(screens.map(({ reloads }) => reloads)).toEqual(Array(3).fill(['epoch']));
}

/** Events reach the screens again, and nobody reloads for them. */
async function expectLive(): Promise<void> {
  await eventually('an emission to be accepted', async () => {
    await tell('live again');
    return true;
  });
  await allEqualList(world, api, screens);
  expect(screens.map(({ notes }) => notes(told!))).toEqual(['live again', 'live again', undefined]);
  expect(screens.map(({ reloads }) => reloads.length)).toEqual([1, 1, 1]);
}

test('Redis is killed and restarted with its AOF: every dashboard reloads, and equals the list', async () => {
  await openScreens();
  await services[0]!.kill();
  await writeUnheard();
  await services[0]!.restart();
  await expectReloadedOnce();
  await expectLive();
});

test('Redis is restarted without its data: offsets restart, and every dashboard detects it', async () => {
  await openScreens();
  const plain = await world.dashboard(api, busy!.companyId);
  await tell('four');
  await plain.hear(({ payload }) => payload.appointment.notes === 'four');
  const redis = services[0]!;
  await redis.kill();
  rmSync(join(redis.dir, 'appendonlydir'), { recursive: true });
  await writeUnheard();
  await redis.restart();
  await expectReloadedOnce();
  await expectLive();

  // Negative control: a screen that orders by offset alone takes what is new for something that it has had.
  const last = await plain.hear(({ payload }) => payload.appointment.notes === 'live again');
  const shown = new Map<string, { offset: number; notes: string | null }>();
  for (const { payload, meta } of plain.heard) {
    const { _id, notes } = payload.appointment;
    if (meta.offset > (shown.get(_id)?.offset ?? 0)) shown.set(_id, { offset: meta.offset, notes });
  }
  expect(last.meta.offset).toBe(1);
  expect(shown.get(told!)).toEqual({ offset: 4, notes: 'four' });
});

test('FLUSHALL: dashboards that receive the next emission reload at once, all others within 10 s', async () => {
  await openScreens();
  await world.redis.flushall();
  await writeUnheard();
  await world.emit(api, 'appointment-updated', told!);
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
  await tell('lost with the old master');
  await eventually('the screens to show it', () => screens[0]!.notes(told!) === 'lost with the old master');
  await writeUnheard();
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
  await writeUnheard();
  await expectReloadedOnce();
  await expectLive();
});
