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
    env: { RECONCILE_INTERVAL_MS: '0', COMPANY_LOG_MAX: '100000' },
    limits: { MAX_LISTS_PER_VIEWER_PER_SECOND: 100_000 },
    shards: SHARDS,
  });
  world.keep(cluster, () => cluster.stop());
  const balancer = await createBalancer();
  world.keep(balancer, balancer.close);
  let gateway: Spawned | undefined;
  const workers: Spawned[] = [];

  /** Starts the next gateway, routes to it, and ends the one before. */
  async function replaceGateway(shards: number): Promise<void> {
    const before = gateway;
    gateway = await world.ready(world.apiProcess({ QUEUE_SHARDS: String(shards) }));
    balancer.route(gateway.url);
    before?.kill('SIGTERM');
    await before?.exited;
  }
  /** Starts the next worker, and ends the oldest one of two. */
  async function replaceWorker(shards: number): Promise<void> {
    workers.push(await world.workerProcess({ QUEUE_SHARDS: String(shards) }));
    const oldest = workers.length > 2 ? workers.shift() : undefined;
    oldest?.kill('SIGTERM');
    await oldest?.exited;
  }
  await Promise.all([replaceGateway(1), replaceWorker(1), replaceWorker(1)]);

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
    () => replaceWorker(3),
    () => replaceWorker(3),
    () => replaceGateway(3),
    // Back in the other order: the gateway adds to shards of which the workers learn from Redis.
    () => replaceWorker(1),
    () => replaceWorker(1),
    () => replaceGateway(1),
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
