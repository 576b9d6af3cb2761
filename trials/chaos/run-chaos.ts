import { openArena } from './arena.ts';
import { startFaults, type Fault, type FaultRecord } from './faults.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom } from './random.ts';

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

const RESTARTS_REDIS: ReadonlySet<Fault> = new Set(['redis killed', 'redis ended']);

/**
 * Runs bots, processes and screens under faults, and judges by what they recorded: nothing accepted is lost, no screen
 * goes back or shows another company's, and when the last fault is mended every screen equals the list.
 */
export async function runChaos(options: ChaosOptions, say: (line: string) => void): Promise<ChaosResult> {
  const arena = await openArena({ options });
  const { fleet, ledger, redis, screens, shop } = arena;
  try {
    say(`${shop.companyIds.length * options.screens} screens are live; the faults begin`);

    const began = Date.now();
    const faults = startFaults({
      fleet,
      redis,
      random: createRandom(options.seed, 'faults'),
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

    const { failed, fault } = await arena.settle(options.settleMs);
    const violations = [...(fault === undefined ? [] : [fault]), ...arena.violations()];
    const redisRestarts = faults.records.filter(({ fault: name }) => RESTARTS_REDIS.has(name)).length;
    if (screens.mostReloads > redisRestarts) {
      violations.push(
        `a screen was reloaded ${screens.mostReloads} times, Redis was restarted ${redisRestarts} times`,
      );
    }
    return {
      options,
      violations,
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
      settleMs: Date.now() - mendedAt,
    };
  } finally {
    await arena.close((error) => {
      say(`not ended in order: ${String(error)}`);
    });
  }
}
