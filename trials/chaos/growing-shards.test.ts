import { afterEach, expect, test } from '@jest/globals';
import { ownCluster } from '../../test/harness/own-cluster.ts';
import type { Spawned } from '../../test/harness/processes.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { createWorld, type World } from '../../test/harness/world.ts';
import { createBalancer } from './balancer.ts';
import { createLedger } from './ledger.ts';
import { DEFAULTS } from './options.ts';
import { openScreens } from './screens.ts';
import { openWorkload } from './workload.ts';

const OPTIONS = { ...DEFAULTS, emissions: 1_000_000, companies: 8, screens: 1, appointments: 5, bots: 3 };
const EMISSIONS_BETWEEN_STEPS = 40;
const SHARDS = 3;

let world: World;
afterEach(() => world.close());

test('a fleet on three masters grows from one to three shards and back, under load: nothing is lost or stale, and no screen reloads', async () => {
  const cluster = await ownCluster({ masters: 3 });
  world = await createWorld({
    redisUrl: cluster.url,
    env: { RECONCILE_INTERVAL_MS: '0', COMPANY_LOG_MAX: '100000', MAX_LISTS_PER_VIEWER_PER_SECOND: '100000' },
    shards: SHARDS,
  });
  world.keep(cluster, () => cluster.stop());
  const balancer = await createBalancer();
  world.keep(balancer, balancer.close);
  const gateways: Spawned[] = [];
  const workers: Spawned[] = [];

  /** Starts a process with this number of shards, then ends the oldest one of its kind. */
  async function replaceGateway(shards: number): Promise<void> {
    gateways.push(await world.ready(world.apiProcess({ QUEUE_SHARDS: String(shards) })));
    const oldest = gateways.length > 2 ? gateways.shift() : undefined;
    balancer.route(...gateways.map(({ url }) => url));
    oldest?.kill('SIGTERM');
    await oldest?.exited;
  }
  async function replaceWorker(shards: number): Promise<void> {
    workers.push(await world.workerProcess({ QUEUE_SHARDS: String(shards) }));
    const oldest = workers.length > 2 ? workers.shift() : undefined;
    oldest?.kill('SIGTERM');
    await oldest?.exited;
  }
  for (let each = 0; each < 2; each += 1) await Promise.all([replaceGateway(1), replaceWorker(1)]);

  const ledger = createLedger(world);
  world.keep(ledger, ledger.close);
  const options = { ...OPTIONS };
  const workload = await openWorkload({
    world,
    options,
    urls: [balancer.url],
    onAccepted: ledger.recordAccepted,
  });
  const places = workload.companyIds.map((companyId) => ({ companyId, url: balancer.url }));
  const screens = await openScreens({ world, places });
  world.keep(screens, screens.close);
  const allEqual = async () => (await screens.differences(balancer.url)).length === 0;
  await eventually('every screen to equal the list', allEqual, 60_000);

  const working = workload.work();
  const steps = [
    // In the order of docs/guides/redis.md: workers first.
    ...[3, 3].map((shards) => () => replaceWorker(shards)),
    ...[3, 3].map((shards) => () => replaceGateway(shards)),
    // Back in the other order: for a while workers know one shard only.
    ...[1, 1].map((shards) => () => replaceWorker(shards)),
    ...[1, 1].map((shards) => () => replaceGateway(shards)),
  ];
  for (const step of steps) {
    const enough = ledger.acceptedCount + EMISSIONS_BETWEEN_STEPS;
    await eventually('the load to continue', () => ledger.acceptedCount >= enough, 60_000);
    await step();
  }
  const enough = ledger.acceptedCount + EMISSIONS_BETWEEN_STEPS;
  await eventually('the load to continue', () => ledger.acceptedCount >= enough, 60_000);
  options.emissions = 0;
  await working;

  await until('every accepted emission to be published or failed', ledger.settled(), 60_000);
  await eventually('every screen to equal the list', allEqual, 60_000);
  const counts = await Promise.all(world.shards.map(({ live }) => live.getCompletedCount()));
  expect(counts.filter((count) => count === 0)).toEqual([]);
  expect(screens.violations).toEqual([]);
  expect([ledger.lost.size, ledger.failed.size]).toEqual([0, 0]);
  expect(ledger.publishedCount).toBe(ledger.acceptedCount);
  expect(screens.reloads).toEqual({});
}, 300_000);
