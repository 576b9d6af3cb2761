import { setTimeout as pause } from 'node:timers/promises';
import { openArena } from '../chaos/arena.ts';
import { startFaults } from '../chaos/faults.ts';
import { DEFAULTS } from '../chaos/options.ts';
import { createRandom } from '../chaos/random.ts';
import { createMemoryReader } from '../../test/harness/memory.ts';
import { until } from '../../test/harness/until.ts';
import { startChurn } from './churn.ts';
import { isFlat, slopeOf, type Slope } from './slope.ts';
import { countKeys, watchOnce, type Lines } from './watch.ts';

export interface SoakOptions {
  minutes: number;
  seed: number;
}

export interface SoakResult {
  options: SoakOptions;
  lines: { name: string; slope: Slope; flat: boolean; measurements: number }[];
  /** Kinds of keys in Redis, and how many there were of each when the slopes begin, and at the end. */
  kinds: Record<'early' | 'late', Record<string, number>>;
  accepted: number;
  published: number;
  shown: number;
  visits: number;
  faults: number;
  violations: string[];
}

/** Code is still being compiled, pools are still growing. */
const WARM_UP = 0.3;
/** The queue keeps 5,000 finished jobs: it is filled before anything is measured, else it would rise for that long. */
const FINISHED_BEFORE = 5_500;
const MEASUREMENTS = 120;
const VISITORS = 4;
const ARENA = { workers: 2, gateways: 2, companies: 3, screens: 3, appointments: 30, bots: 24, restMs: 100 };
/**
 * Of these faults the processes that are watched see what becomes of Redis and of their connections; the others are
 * killed, ended and frozen.
 */
const WEIGHTS = {
  'worker killed': 2,
  'worker ended': 1,
  'worker frozen': 2,
  'gateway killed': 2,
  'gateway ended': 1,
  'gateway frozen': 1,
  'redis frozen': 1,
};
const FAULT_EVERY_MS = 20_000;
const CUT_EVERY = 10;
const SETTLE_MS = 120_000;
/** What they keep for longer than a run would only rise: it must reach its bound. */
const BOUNDS = { COMPANY_LOG_MAX: '1500', IDEMPOTENCY_TTL_SECONDS: '30', LISTS_PER_TOKEN: '1000' };

/** Load, dashboards that come and go, and faults, for as long as asked; then the slope of each line. */
export async function runSoak(options: SoakOptions, say: (line: string) => void): Promise<SoakResult> {
  const random = (name: string) => createRandom(options.seed, name);
  const memory = createMemoryReader();
  const longestMs = options.minutes * 60_000;
  const arena = await openArena({
    options: { ...DEFAULTS, ...ARENA, seed: options.seed, emissions: Infinity, longestMs },
    env: { ...memory.env, ...BOUNDS },
  });
  try {
    const { fleet, ledger, redis, screens, shop } = arena;
    while (ledger.publishedCount < FINISHED_BEFORE) {
      await shop.announceAll();
      await until('the queue to be filled', ledger.settled(), SETTLE_MS);
    }
    say(`${ledger.publishedCount} emissions fill the queue; it begins`);
    const lines: Lines = new Map();
    const kinds: Record<string, number>[] = [];
    const began = Date.now();
    const minutes = () => (Date.now() - began) / 60_000;
    const faults = startFaults({
      fleet: { workers: fleet.workers.slice(1), gateways: fleet.gateways.slice(1) },
      redis,
      random: random('faults'),
      everyMs: FAULT_EVERY_MS,
      weights: WEIGHTS,
      settled: ledger.settled,
      onFault: (fault, what) => {
        say(`${minutes().toFixed(1)} min: ${fault} ${what}`);
      },
    });
    const churn = startChurn(arena, random('churn'), VISITORS);
    const work = shop.work();
    for (let count = 1; minutes() < options.minutes; count += 1) {
      if (kinds.length === 0 && minutes() >= WARM_UP * options.minutes)
        kinds.push(await countKeys(arena.world));
      await pause(longestMs / MEASUREMENTS);
      if (count % CUT_EVERY === 0) fleet.gateways[0]?.board?.cut();
      await watchOnce(arena, memory, lines, minutes()).catch((error: unknown) => {
        say(`not measured: ${(error as Error).message}`);
      });
    }
    kinds.push(await countKeys(arena.world));
    await Promise.all([work, churn.end(), faults.end()]);
    const { fault } = await arena.settle(SETTLE_MS);

    const warm = WARM_UP * options.minutes;
    return {
      options,
      lines: [...lines].map(([name, measured]) => {
        const late = measured.filter(({ minutes: at }) => at >= warm);
        const slope = slopeOf(late);
        return { name, slope, flat: isFlat(slope), measurements: late.length };
      }),
      kinds: { early: kinds[0] ?? {}, late: kinds[1] ?? {} },
      accepted: ledger.acceptedCount,
      published: ledger.publishedCount,
      shown: screens.shown,
      visits: churn.visits,
      faults: faults.records.length,
      violations: [...(fault === undefined ? [] : [fault]), ...arena.violations(), ...churn.violations],
    };
  } finally {
    await arena.close();
    memory.close();
  }
}
