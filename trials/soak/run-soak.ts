import { setTimeout as pause } from 'node:timers/promises';
import { openTestbed } from '../chaos/testbed.ts';
import { startFaultInjection } from '../chaos/inject-faults.ts';
import { DEFAULTS } from '../chaos/options.ts';
import { createRandom } from '../chaos/random.ts';
import { createMemoryReader } from '../../test/harness/memory.ts';
import { until } from '../../test/harness/until.ts';
import { startChurn } from './churn.ts';
import { isFlat, slopeOf, type Slope } from './slope.ts';
import { countKeys, sampleOnce, type Lines } from './sample.ts';

export interface SoakOptions {
  minutes: number;
  seed: number;
}

export interface SoakResult {
  options: SoakOptions;
  lines: { name: string; slope: Slope; flat: boolean; measurements: number }[];
  /** Number of keys in Redis by kind, after the warm-up and at the end. */
  kinds: Record<'early' | 'late', Record<string, number>>;
  accepted: number;
  published: number;
  shown: number;
  visits: number;
  faults: number;
  violations: string[];
}

/** Share of the run that is not measured: code is still being compiled, and pools are still growing. */
const WARM_UP_SHARE = 0.3;
/** The queue keeps 5,000 finished jobs. It is filled before the measurement, or memory would rise until it is full. */
const FINISHED_BEFORE = 5_500;
const MEASUREMENTS = 120;
const VISITORS = 4;
const TESTBED = {
  workers: 2,
  gateways: 2,
  companies: 3,
  screens: 3,
  appointments: 30,
  bots: 24,
  pauseMs: 100,
};
/**
 * Process faults hit only the second worker and the second API. The measured processes experience only Redis faults and
 * closed connections.
 */
const WEIGHTS = {
  'worker killed': 2,
  'worker terminated': 1,
  'worker frozen': 2,
  'gateway killed': 2,
  'gateway terminated': 1,
  'gateway frozen': 1,
  'redis frozen': 1,
};
const FAULT_EVERY_MS = 20_000;
const CUT_EVERY = 10;
const SETTLE_MS = 120_000;
/** Data that is kept longer than a run would only grow, and never reach its limit. */
const LIMITS = { IDEMPOTENCY_TTL_SECONDS: 30, MAX_LISTS_PER_VIEWER_PER_SECOND: 1_000 };
const ENV = { COMPANY_LOG_MAX: '1500' };

/** Runs load, short-lived dashboards and faults for the given time, then computes the slope of each measured series. */
export async function runSoak(options: SoakOptions, print: (line: string) => void): Promise<SoakResult> {
  const random = (name: string) => createRandom(options.seed, name);
  const memory = createMemoryReader();
  const maxDurationMs = options.minutes * 60_000;
  const testbed = await openTestbed({
    options: { ...DEFAULTS, ...TESTBED, seed: options.seed, emissions: Infinity, maxDurationMs },
    env: { ...memory.env, ...ENV },
    limits: LIMITS,
  });
  try {
    const { fleet, ledger, redis, screens, workload } = testbed;
    while (ledger.publishedCount < FINISHED_BEFORE) {
      await workload.emitAll();
      await until('the emissions that fill the queue', ledger.settled(), SETTLE_MS);
    }
    print(`${ledger.publishedCount} emissions fill the queue; starting the measurement`);
    const lines: Lines = new Map();
    const kinds: Record<string, number>[] = [];
    const began = Date.now();
    const minutes = () => (Date.now() - began) / 60_000;
    const faults = startFaultInjection({
      fleet: { workers: fleet.workers.slice(1), gateways: fleet.gateways.slice(1) },
      redis,
      random: random('faults'),
      everyMs: FAULT_EVERY_MS,
      weights: WEIGHTS,
      settled: ledger.settled,
      onFault: (fault, what) => {
        print(`${minutes().toFixed(1)} min: ${fault} ${what}`);
      },
    });
    const churn = startChurn(testbed, random('churn'), VISITORS);
    const work = workload.work();
    for (let count = 1; minutes() < options.minutes; count += 1) {
      if (kinds.length === 0 && minutes() >= WARM_UP_SHARE * options.minutes)
        kinds.push(await countKeys(testbed.world));
      await pause(maxDurationMs / MEASUREMENTS);
      if (count % CUT_EVERY === 0) fleet.gateways[0]?.balancer?.dropConnections();
      await sampleOnce(testbed, memory, lines, minutes()).catch((error: unknown) => {
        print(`measurement skipped: ${(error as Error).message}`);
      });
    }
    kinds.push(await countKeys(testbed.world));
    await Promise.all([work, churn.end(), faults.end()]);
    const { problem } = await testbed.settle(SETTLE_MS);

    const warm = WARM_UP_SHARE * options.minutes;
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
      violations: [...(problem === undefined ? [] : [problem]), ...testbed.violations(), ...churn.violations],
    };
  } finally {
    await testbed.close();
    memory.close();
  }
}
