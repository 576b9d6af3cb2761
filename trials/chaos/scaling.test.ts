import { afterEach, expect, test } from '@jest/globals';
import { ownRedis } from '../../test/harness/own-services.ts';
import type { Spawned } from '../../test/harness/processes.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { createWorld, type World } from '../../test/harness/world.ts';
import { createLedger } from './ledger.ts';
import { DEFAULTS } from './options.ts';
import { openScreens } from './screens.ts';
import { openWorkload } from './workload.ts';
import { createBalancer } from './balancer.ts';

const OPTIONS = { ...DEFAULTS, emissions: 1_000_000, companies: 3, screens: 2, appointments: 8, bots: 3 };
const EMISSIONS_BETWEEN_STEPS = 40;

let world: World;
afterEach(() => world.close());

test('workers and gateways are started, terminated and killed under load: nothing is lost, and no screen has to reload', async () => {
  const redis = await ownRedis();
  world = await createWorld({
    redisUrl: redis.url,
    env: { RECONCILE_INTERVAL_MS: '0', COMPANY_LOG_MAX: '100000' },
    limits: { MAX_LISTS_PER_VIEWER_PER_SECOND: 100_000 },
  });
  world.keep(redis, () => redis.stop());

  /** Routes new connections to the gateways that are running. */
  const balancer = await createBalancer();
  world.keep(balancer, balancer.close);
  const gateways: Spawned[] = [];
  const workers: Spawned[] = [];
  const updateRoutes = () => {
    balancer.route(...gateways.map(({ url }) => url));
  };
  const add = {
    gateway: async () => {
      gateways.push(await world.ready(world.apiProcess()));
      updateRoutes();
    },
    worker: async () => void workers.push(await world.workerProcess()),
  };
  /** Ends the oldest process. */
  const remove = {
    async gateway(signal: NodeJS.Signals) {
      const oldest = gateways.shift()!;
      updateRoutes();
      oldest.kill(signal);
      return oldest.exited;
    },
    worker(signal: NodeJS.Signals) {
      const oldest = workers.shift()!;
      oldest.kill(signal);
      return oldest.exited;
    },
  };
  await Promise.all([add.gateway(), add.worker()]);

  const ledger = createLedger(world);
  world.keep(ledger, ledger.close);
  const options = { ...OPTIONS };
  const workload = await openWorkload({
    world,
    options,
    urls: [balancer.url],
    onAccepted: ledger.recordAccepted,
  });
  const places = workload.companyIds.flatMap((companyId) =>
    Array.from({ length: OPTIONS.screens }, () => ({ companyId, url: balancer.url })),
  );
  const screens = await openScreens({ world, places });
  world.keep(screens, screens.close);
  const allEqual = async () => (await screens.differences(balancer.url)).length === 0;
  await eventually('every screen to equal the list', allEqual, 60_000);

  const working = workload.work();
  const steps: (() => Promise<unknown>)[] = [
    () => Promise.all([add.worker(), add.gateway()]),
    () => Promise.all([remove.worker('SIGTERM'), remove.gateway('SIGTERM')]),
    () => Promise.all([add.worker(), add.gateway()]),
    () => Promise.all([remove.worker('SIGKILL'), remove.gateway('SIGKILL')]),
    () => Promise.all([add.worker(), add.gateway(), add.worker()]),
    () => Promise.all([remove.worker('SIGKILL'), remove.worker('SIGTERM'), remove.gateway('SIGTERM')]),
  ];
  const ends: unknown[] = [];
  for (const step of steps) {
    const enough = ledger.acceptedCount + EMISSIONS_BETWEEN_STEPS;
    await eventually('the load to continue', () => ledger.acceptedCount >= enough, 60_000);
    ends.push(await step());
  }
  expect(ends).toEqual([
    expect.anything(),
    [0, 0],
    expect.anything(),
    ['SIGKILL', 'SIGKILL'],
    expect.anything(),
    ['SIGKILL', 0, 0],
  ]);
  options.emissions = 0;
  await working;

  await until('every accepted emission to be published or failed', ledger.settled(), 60_000);
  await eventually('every screen to equal the list', allEqual, 60_000);
  expect(screens.violations).toEqual([]);
  expect([ledger.lost.size, ledger.failed.size]).toEqual([0, 0]);
  expect(ledger.publishedCount).toBe(ledger.acceptedCount);
  expect(screens.replayed).toBeGreaterThan(0);
  expect(screens.reloads).toEqual({});
}, 240_000);
