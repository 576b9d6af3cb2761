import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { runErase } from '../../../src/cli/run-erase.ts';
import { loadWorkerConfig } from '../../../src/config.ts';
import type { Company } from '../../harness/documents.ts';
import { ownCluster, type RedisCluster } from '../../harness/own-cluster.ts';
import type { Spawned } from '../../harness/processes.ts';
import { eventually } from '../../harness/until.ts';
import { createWorld, type World } from '../../harness/world.ts';
import { allEqualList, openScreen, type Screen } from '../screens.ts';

const SHARDS = 3;

interface Health {
  checks: { redis: { detail?: string } };
}

let cluster: RedisCluster;
let world: World;
let api: Spawned;
/** By shard. */
let companies: Company[];
let screens: Screen[];
beforeAll(async () => {
  cluster = await ownCluster({ masters: SHARDS });
  for (const { client } of cluster.nodes) await client.config('SET', 'cluster-require-full-coverage', 'no');
  world = await createWorld({
    redisUrl: cluster.url,
    env: { RECONCILE_INTERVAL_MS: '0', QUEUE_SHARDS: String(SHARDS), ADMIN_WRITES: 'on' },
    shards: SHARDS,
  });
  [api] = await Promise.all([world.ready(world.apiProcess()), world.workerProcess()]);
}, 180_000);
afterAll(async () => {
  await world.close();
  await cluster.stop();
});
beforeEach(async () => {
  companies = await Promise.all(world.shards.map(({ index }) => companyOf(index)));
  screens = await Promise.all(companies.map(({ companyId }) => openScreen(world, api.url, companyId)));
  await Promise.all(screens.map(({ becomes }) => becomes('live')));
  for (const shard of companies.keys()) await show(shard, 'before');
  await allEqualList(world, api, screens, 30_000);
});

function companyOf(shard: number): Promise<Company> {
  for (;;) {
    const companyId = new Types.ObjectId().toHexString();
    if (world.shardPlan.shardOf(companyId, SHARDS) === shard) return world.documents.company(companyId);
  }
}

/** Writes an appointment of the shard's company. `post` announces it, and resolves to the reply. */
async function write(shard: number, notes: string) {
  const appointmentId = await companies[shard]!.appointment({ notes });
  // As the bot does. The records lie on the master of shard 0.
  const headers = { 'Idempotency-Key': randomUUID() };
  const post = () => world.post(api, 'appointment-created', { appointmentId }, headers);
  return { appointmentId, post };
}

/** Writes an appointment of the shard's company and announces it; then its screen shows it. */
async function show(shard: number, notes: string): Promise<void> {
  const { appointmentId, post } = await write(shard, notes);
  await eventually(
    `the emission of shard ${shard} to be accepted`,
    async () => {
      const response = await post();
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
      return true;
    },
    30_000,
  );
  await eventually('the screen to show it', () => screens[shard]!.notes(appointmentId) === notes, 30_000);
}

test('each shard has its own master for its queues and the keys of its companies', async () => {
  const nodes = await Promise.all(world.shards.map(({ prefix }) => cluster.serving(prefix)));
  expect(new Set(nodes).size).toBe(SHARDS);
  for (const [shard, { companyId }] of companies.entries())
    expect(await cluster.serving(world.keys.position(companyId))).toBe(nodes[shard]);
});

test('a company of the last shard is erased: its jobs and keys on their master, its indexes on that of shard 0', async () => {
  const company = companies[2]!;
  const other = companies[1]!;
  const config = loadWorkerConfig({ ...world.env, RECONCILE_INTERVAL_MS: '0' });
  const report = await runErase(config, { companyId: company.companyId });
  expect(report).toMatchObject({ orderTokens: 1, complete: true });
  expect(report.jobs).toBeGreaterThan(0);
  expect(await runErase(config, { companyId: other.companyId, dryRun: true })).toMatchObject({
    orderTokens: 1,
  });
  await show(2, 'after the erasure');
}, 60_000);

test.each([0, 1, 2])(
  'the master of shard %i dies without a replica: its companies wait, those of the others go on; then all equal the list',
  async (dead) => {
    const others = [...companies.keys()].filter((shard) => shard !== dead);
    const node = await cluster.serving(world.shards[dead]!.prefix);
    await node.service.kill();
    try {
      for (const shard of others) await show(shard, 'while it is dead');
      const { post } = await write(dead, 'while it is dead');
      expect((await post()).status).toBe(503);
      expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
      await eventually('health to name the shard', async () => {
        const { checks } = (await (await fetch(`${api.url}/health`)).json()) as Health;
        return checks.redis.detail?.includes(`shard ${dead}`);
      });
    } finally {
      await node.service.restart();
      await cluster.settled();
    }
    await show(dead, 'after');
    await allEqualList(world, api, screens, 30_000);
    const untouched = screens.filter((_, shard) => shard !== dead);
    expect(untouched.flatMap(({ reloads }) => reloads)).toEqual([]);
  },
  180_000,
);
