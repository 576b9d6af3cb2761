import { setTimeout as pause } from 'node:timers/promises';
import { openTestbed, type Testbed } from '../chaos/testbed.ts';
import { DEFAULTS } from '../chaos/options.ts';
import { createRandom } from '../chaos/random.ts';
import { API_KEY } from '../../test/harness/world.ts';
import { createMemoryReader } from '../../test/harness/memory.ts';
import { until } from '../../test/harness/until.ts';
import { emit } from './company.ts';
import { startLoad } from './load.ts';
import { countKeys, measureOnce } from './sample.ts';
import type { Sample } from './samples.ts';

export interface SliceOptions {
  /** Number of the slice, from 0. */
  slice: number;
  minutes: number;
  seed: number;
  /** Adds a leak to all processes, to see that it is found. */
  leak: boolean;
}

/** Share of a slice that is not judged: code is still being compiled, and pools and the queue are still growing. */
const WARM_UP_SHARE = 0.3;
/** Each queue keeps as many finished jobs. Both are filled before the measurement, or memory would rise until they are full. */
const FINISHED_KEPT = 5_000;
const MEASUREMENTS = 120;
const TESTBED = {
  workers: 2,
  gateways: 2,
  companies: 3,
  screens: 0,
  appointments: 30,
  bots: 6,
  pauseMs: 1_000,
};
const CUT_EVERY = 10;
const SETTLE_MS = 120_000;
/** Data that is kept longer than a run would only grow, and never reach its limit. */
const LIMITS = { IDEMPOTENCY_TTL_SECONDS: 30, MAX_LISTS_PER_VIEWER_PER_SECOND: 1_000 };
/** The sweep and canaries run, as in production. */
const ENV = { COMPANY_LOG_MAX: '1500', RECONCILE_INTERVAL_MS: '5000', CANARY_INTERVAL_MS: '5000' };

const LEAK = new URL('./leak.mjs', import.meta.url).href;

/** Runs load, churn and faults for the given time, and passes on a sample at a time. */
export async function runSlice(
  options: SliceOptions,
  onSample: (sample: Sample) => void,
  print: (line: string) => void,
): Promise<void> {
  const { slice, minutes, seed, leak } = options;
  const random = (name: string) => createRandom(seed, name);
  const memory = createMemoryReader();
  const testbed = await openTestbed({
    options: { ...DEFAULTS, ...TESTBED, seed, emissions: Infinity, maxDurationMs: Infinity },
    env: {
      ...memory.env,
      ...ENV,
      ...(leak && { NODE_OPTIONS: `${memory.env.NODE_OPTIONS} --import=${LEAK}` }),
    },
    limits: LIMITS,
  });
  try {
    await fillQueues(testbed);
    print('the queues are full; starting the measurement');
    const began = Date.now();
    const since = () => (Date.now() - began) / 60_000;
    const load = await startLoad(testbed, {
      minutes,
      random,
      print: (line) => {
        print(`${since().toFixed(1)} min: ${line}`);
      },
    });
    const sample = async (values: Record<string, number>): Promise<void> => {
      const isWarm = since() >= WARM_UP_SHARE * minutes;
      const kinds = await countKeys(testbed.world);
      onSample({
        slice,
        seed,
        minutes: since(),
        isWarm,
        values,
        kinds,
        counts: load.counts(),
        violations: load.violations(),
      });
    };
    for (let count = 1; since() < minutes; count += 1) {
      await pause((minutes * 60_000) / MEASUREMENTS);
      if (count % CUT_EVERY === 0) testbed.fleet.gateways[0]?.balancer?.dropConnections();
      try {
        await sample(await measureOnce(testbed, memory, load.probes));
      } catch (error) {
        print(`measurement skipped: ${(error as Error).message}`);
      }
    }
    await load.end(SETTLE_MS);
    await sample({});
  } finally {
    await testbed.close();
    memory.close();
  }
}

async function fillQueues({ fleet, ledger, workload, world }: Testbed): Promise<void> {
  const { url } = fleet.gateways[0]!.balancer!;
  const emitEach = async (): Promise<void> => {
    const emitted = workload.appointmentIds.map((id) => emit(url, () => API_KEY, id));
    for (const emissionId of await Promise.all(emitted)) ledger.recordAccepted(emissionId);
  };
  for (const [queue, emitAll] of [
    [world.bulk, workload.emitAll],
    [world.queue, emitEach],
  ] as const) {
    while ((await queue.getCompletedCount()) < FINISHED_KEPT) {
      await emitAll();
      await until('the emissions that fill a queue', ledger.settled(), SETTLE_MS);
    }
  }
}
