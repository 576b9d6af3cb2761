import { ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld } from '../harness/world.ts';
import { startFaults, type Fault, type FaultRecord } from './faults.ts';
import { startFleet } from './fleet.ts';
import { createLedger } from './ledger.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom } from './random.ts';
import { openScreens } from './screens.ts';
import { openShop } from './shop.ts';

export interface ChaosResult {
  options: ChaosOptions;
  /** Everything that a guarantee forbids. */
  violations: string[];
  accepted: number;
  published: number;
  /** Words of failed jobs, and how many had them; all were given to the queue again at the end. */
  failed: Record<string, number>;
  mostAttempts: number;
  writes: number;
  unannounced: number;
  refusals: Record<string, number>;
  shown: number;
  replayed: number;
  lists: number;
  reloads: Record<string, number>;
  mostReloads: number;
  faults: FaultRecord[];
  restarts: Record<string, number>;
  /** From the first emission to the last, and from the last fault's end until every screen was equal to the list. */
  workMs: number;
  settleMs: number;
}

/** The only reason that a reload may be announced for: logs and replays are long enough here, so Redis was restarted. */
const HONEST_RELOAD = 'epoch';
const RESTARTS_REDIS: ReadonlySet<Fault> = new Set(['redis killed', 'redis ended']);

/**
 * Runs bots, processes and screens under faults, and judges by what they recorded: nothing accepted is lost, no screen
 * goes back or shows another company's, and when the last fault is mended every screen equals the list.
 */
export async function runChaos(options: ChaosOptions, say: (line: string) => void): Promise<ChaosResult> {
  const random = (name: string) => createRandom(options.seed, name);
  const closers: (() => unknown)[] = [];
  try {
    const [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
    closers.push(
      () => redis.stop(),
      () => mongo.stop(),
    );
    const world = await createWorld({
      redisUrl: redis.url,
      mongoUri: mongo.url,
      env: {
        RECONCILE_INTERVAL_MS: options.dyingBots > 0 ? '2000' : '0',
        COMPANY_LOG_MAX: '1000000',
        REPLAY_MAX: '10000',
        // Screens are compared with the list over and over.
        LISTS_PER_TOKEN: '100000',
      },
    });
    closers.push(() => world.close());
    const fleet = await startFleet(world, options);
    closers.push(() => fleet.close());
    const ledger = createLedger(world);
    closers.push(() => ledger.close());
    const urls = fleet.gateways.map(({ board }) => board!.url);
    const shop = await openShop({ world, options, urls, onAccepted: ledger.accepted });
    const places = shop.companyIds.flatMap((companyId, company) =>
      Array.from({ length: options.screens }, (_, screen) => ({
        companyId,
        url: urls[(company + screen) % urls.length]!,
      })),
    );
    const screens = await openScreens(world, places);
    closers.push(screens.close);
    const settledBy = (deadlineMs: number) =>
      until('all that was accepted to end', ledger.settled(), deadlineMs);
    const equal = (deadlineMs: number) =>
      eventually(
        'every screen to equal the list',
        async () => {
          const differences = await screens.differences(urls[0]!);
          if (differences.length > 0) throw new Error(differences.slice(0, 5).join('; '));
          return true;
        },
        deadlineMs,
      );
    await equal(options.settleMs);
    say(`${places.length} screens are live; the faults begin`);

    const began = Date.now();
    const faults = startFaults({
      fleet,
      redis,
      random: random('faults'),
      everyMs: options.faultEveryMs,
      settled: ledger.settled,
      onFault: (fault, what) => {
        const seconds = ((Date.now() - began) / 1_000).toFixed(1);
        say(`${seconds} s: ${fault} ${what} (${ledger.acceptedCount} accepted, ${ledger.open.size} open)`);
      },
    });
    await shop.work();
    const workMs = Date.now() - began;
    await faults.end();
    const mendedAt = Date.now();
    say(`${ledger.acceptedCount} accepted in ${Math.round(workMs / 1_000)} s; the last fault is mended`);

    const violations: string[] = [];
    const failed: Record<string, number> = {};
    try {
      await settledBy(options.settleMs);
      for (const words of ledger.failed.values()) failed[words] = (failed[words] ?? 0) + 1;
      if ((await ledger.retryFailed()) > 0) await settledBy(options.settleMs);
      await equal(options.settleMs);
    } catch (error) {
      violations.push((error as Error).message);
    }
    const settleMs = Date.now() - mendedAt;
    for (const id of ledger.lost) violations.push(`emission ${id} was accepted and is lost`);
    for (const [id, words] of ledger.failed) violations.push(`emission ${id} failed again: ${words}`);
    for (const how of fleet.ownEnds) violations.push(`a process ended by itself: ${how}`);
    for (const [reason, times] of Object.entries(screens.reloads)) {
      if (reason !== HONEST_RELOAD) violations.push(`${times} reloads were needed for "${reason}"`);
    }
    const redisRestarts = faults.records.filter(({ fault }) => RESTARTS_REDIS.has(fault)).length;
    if (screens.mostReloads > redisRestarts) {
      violations.push(
        `a screen was reloaded ${screens.mostReloads} times, Redis was restarted ${redisRestarts} times`,
      );
    }
    return {
      options,
      violations: [...violations, ...screens.violations],
      accepted: ledger.acceptedCount,
      published: ledger.publishedCount,
      failed,
      mostAttempts: ledger.mostAttempts,
      writes: shop.writes,
      unannounced: shop.unannounced,
      refusals: shop.refusals,
      shown: screens.shown,
      replayed: screens.replayed,
      lists: screens.lists,
      reloads: screens.reloads,
      mostReloads: screens.mostReloads,
      faults: faults.records,
      restarts: fleet.restarts,
      workMs,
      settleMs,
    };
  } finally {
    // What was found out is not lost to a server that a busy machine ends late; the run's folder tells what is left.
    for (const close of closers.reverse()) {
      try {
        await close();
      } catch (error) {
        say(`not ended in order: ${String(error)}`);
      }
    }
  }
}
