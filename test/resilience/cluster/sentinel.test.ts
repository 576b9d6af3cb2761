import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Company } from '../../harness/documents.ts';
import { freeze } from '../../harness/own-services.ts';
import { ownSentinels, type WatchedRedis } from '../../harness/own-sentinel.ts';
import type { Spawned } from '../../harness/processes.ts';
import { eventually } from '../../harness/until.ts';
import { createWorld, type World } from '../../harness/world.ts';
import { allEqualList, openScreen, type Screen } from '../screens.ts';

let redis: WatchedRedis;
let world: World;
let api: Spawned;
let company: Company;
let screen: Screen;
beforeAll(async () => {
  redis = await ownSentinels();
  // The sweep finds writes that were lost with a master: replication is asynchronous.
  world = await createWorld({ redisUrl: redis.url, env: { RECONCILE_INTERVAL_MS: '500' } });
  [api] = await Promise.all([world.ready(world.apiProcess()), world.workerProcess()]);
}, 180_000);
afterAll(async () => {
  await world.close();
  await redis.stop();
});
beforeEach(async () => {
  company = await world.documents.company();
  screen = await openScreen(world, api.url, company.companyId);
  await screen.becomes('live');
  await show('before');
});
afterEach(() => {
  screen.dashboard.close();
});

/** Writes and announces until it is accepted; then the screen shows it. */
async function show(notes: string): Promise<void> {
  const appointmentId = await company.appointment({ notes });
  await eventually(
    'the emission to be accepted',
    async () => (await world.post(api, 'appointment-created', { appointmentId })).status === 202,
    30_000,
  );
  await allEqualList(world, api, [screen], 30_000);
  expect(screen.notes(appointmentId)).toBe(notes);
}

/** The sentinels name another master than `before`, everything works there, and the dashboard has reloaded once. */
async function expectTakenOver(before: { port: number }): Promise<void> {
  await eventually('another master', async () => (await redis.master()).port !== before.port, 30_000);
  await eventually('the dashboard to reload', () => screen.reloads.length > 0, 30_000);
  await show('after');
  expect(screen.reloads).toEqual(['epoch']);
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
}

test('the master dies: sentinels name another, and dashboards equal the list after one announced reload', async () => {
  const master = await redis.master();
  await master.kill();
  await expectTakenOver(master);
  await master.restart();
});

test('the sentinels replace a healthy master: processes that are still connected to it leave it', async () => {
  const master = await redis.master();
  await eventually('the sentinels to agree', redis.failOver, 30_000);
  await expectTakenOver(master);
});

test('a sentinel that accepts connections but never answers delays no process', async () => {
  const [sentinel] = redis.sentinels;
  await freeze(sentinel!);
  const late = await world.ready(world.apiProcess());
  await sentinel!.kill('SIGCONT');
  await late.stop();
});
