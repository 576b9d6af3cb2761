import { afterEach, expect, test } from '@jest/globals';
import { ownRedis } from '../../test/harness/own-services.ts';
import type { Spawned } from '../../test/harness/processes.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { createWorld, type World } from '../../test/harness/world.ts';
import { createLedger } from './ledger.ts';
import { DEFAULTS } from './options.ts';
import { openScreens } from './screens.ts';
import { openShop } from './shop.ts';
import { createSwitchboard } from './switchboard.ts';

const OPTIONS = { ...DEFAULTS, emissions: 1_000_000, companies: 3, screens: 2, appointments: 8, bots: 3 };
const EMISSIONS_BETWEEN_STEPS = 40;

let world: World;
afterEach(() => world.close());

test('workers and gateways come and go under load, in order and by SIGKILL: nothing is lost, and no screen has to reload', async () => {
  const redis = await ownRedis();
  world = await createWorld({
    redisUrl: redis.url,
    env: { RECONCILE_INTERVAL_MS: '0', COMPANY_LOG_MAX: '100000', LISTS_PER_TOKEN: '100000' },
  });
  world.keep(redis, () => redis.stop());

  /** As a load balancer does: it leads new connections to those that take part. */
  const balancer = await createSwitchboard();
  world.keep(balancer, balancer.close);
  const gateways: Spawned[] = [];
  const workers: Spawned[] = [];
  const lead = () => {
    balancer.lead(...gateways.map(({ url }) => url));
  };
  const add = {
    gateway: async () => {
      gateways.push(await world.ready(world.apiProcess()));
      lead();
    },
    worker: async () => void workers.push(await world.workerProcess()),
  };
  /** The oldest goes. */
  const remove = {
    async gateway(signal: NodeJS.Signals) {
      const oldest = gateways.shift()!;
      lead();
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
  const shop = await openShop({ world, options, urls: [balancer.url], onAccepted: ledger.accepted });
  const places = shop.companyIds.flatMap((companyId) =>
    Array.from({ length: OPTIONS.screens }, () => ({ companyId, url: balancer.url })),
  );
  const screens = await openScreens({ world, places });
  world.keep(screens, screens.close);
  const allEqual = async () => (await screens.differences(balancer.url)).length === 0;
  await eventually('every screen to equal the list', allEqual, 60_000);

  const working = shop.work();
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
    await eventually('the load to go on', () => ledger.acceptedCount >= enough, 60_000);
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

  await until('all that was accepted to end', ledger.settled(), 60_000);
  await eventually('every screen to equal the list', allEqual, 60_000);
  expect(screens.violations).toEqual([]);
  expect([ledger.lost.size, ledger.failed.size]).toEqual([0, 0]);
  expect(ledger.publishedCount).toBe(ledger.acceptedCount);
  expect(screens.replayed).toBeGreaterThan(0);
  expect(screens.reloads).toEqual({});
}, 240_000);
