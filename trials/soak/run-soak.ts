import { setTimeout as pause } from 'node:timers/promises';
import { openTestbed, type Testbed } from '../chaos/testbed.ts';
import { startFaultInjection } from '../chaos/inject-faults.ts';
import { DEFAULTS } from '../chaos/options.ts';
import { createRandom, type Random } from '../chaos/random.ts';
import { openScreens } from '../chaos/screens.ts';
import { createMemoryReader } from '../../test/harness/memory.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { startChurn } from './churn.ts';
import { startCompanies } from './companies.ts';
import { openDeployment } from './deployment.ts';
import { startLatencyProbe } from './latency.ts';
import { countKeys, measureOnce } from './sample.ts';
import type { Sample } from './samples.ts';
import { startVisits } from './visits.ts';

export interface SliceOptions {
  /** Number of the slice, from 0. */
  slice: number;
  minutes: number;
  seed: number;
}

/** Share of a slice that is not judged: code is still being compiled, and pools and the queue are still growing. */
const WARM_UP_SHARE = 0.3;
/** A queue keeps 5,000 finished jobs. It is filled before the measurement, or memory would rise until it is full. */
const FINISHED_BEFORE = 5_500;
const MEASUREMENTS = 120;
const CHURN_STEPS = 40;
const FAULTS = 120;
const VISITORS = 2;
const COMPANIES = 2;
const SCREENS = 3;
const TESTBED = {
  workers: 2,
  gateways: 2,
  companies: 3,
  screens: 0,
  appointments: 30,
  bots: 6,
  pauseMs: 1_000,
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
const CUT_EVERY = 10;
const SETTLE_MS = 120_000;
/** Data that is kept longer than a run would only grow, and never reach its limit. */
const LIMITS = { IDEMPOTENCY_TTL_SECONDS: 30, MAX_LISTS_PER_VIEWER_PER_SECOND: 1_000 };
/** The sweep and canaries run, as in production. */
const ENV = { COMPANY_LOG_MAX: '1500', RECONCILE_INTERVAL_MS: '5000', CANARY_INTERVAL_MS: '5000' };

/** Runs load, churn and faults for the given time, and passes on a sample at a time. */
export async function runSlice(
  options: SliceOptions,
  onSample: (sample: Sample) => void,
  print: (line: string) => void,
): Promise<void> {
  const { slice, minutes, seed } = options;
  const random = (name: string) => createRandom(seed, name);
  const memory = createMemoryReader();
  const testbed = await openTestbed({
    options: { ...DEFAULTS, ...TESTBED, seed, emissions: Infinity, maxDurationMs: Infinity },
    env: { ...memory.env, ...ENV },
    limits: LIMITS,
  });
  try {
    await fillQueue(testbed);
    print('the queue is full; starting the measurement');
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
        await sample(await measureOnce(testbed, memory, load.probe));
      } catch (error) {
        print(`measurement skipped: ${(error as Error).message}`);
      }
    }
    await load.end();
    await sample({});
  } finally {
    await testbed.close();
    memory.close();
  }
}

async function fillQueue({ ledger, workload }: Testbed): Promise<void> {
  while (ledger.publishedCount < FINISHED_BEFORE) {
    await workload.emitAll();
    await until('the emissions that fill the queue', ledger.settled(), SETTLE_MS);
  }
}

interface LoadOptions {
  minutes: number;
  random: (name: string) => Random;
  print: (line: string) => void;
}

/** Starts bots, screens, short-lived dashboards, companies that come and go, deploys and faults. */
async function startLoad(testbed: Testbed, { minutes, random, print }: LoadOptions) {
  const { fleet, ledger, redis, workload, world } = testbed;
  const measuredUrl = fleet.gateways[0]!.balancer!.url;
  const urls = fleet.gateways.map(({ balancer }) => balancer!.url);
  const screens = await openScreens({
    // Tokens that outlive the slice.
    world: { ...world, token: (companyId) => world.token(companyId, '24h') },
    places: workload.companyIds.flatMap((companyId, company) =>
      Array.from({ length: SCREENS }, (_, screen) => ({
        companyId,
        url: urls[(company + screen) % urls.length]!,
      })),
    ),
  });
  world.keep(screens, screens.close);
  const deployment = await openDeployment(world);
  const faults = startFaultInjection({
    fleet: { workers: fleet.workers.slice(1), gateways: fleet.gateways.slice(1) },
    redis,
    random: random('faults'),
    everyMs: (minutes * 60_000) / FAULTS,
    weights: WEIGHTS,
    settled: ledger.settled,
    onFault: (fault, what) => {
      print(`${fault} ${what}`);
    },
  });
  const churn = startChurn(deployment, { everyMs: (minutes * 60_000) / CHURN_STEPS, onStep: print });
  const visits = startVisits(testbed, random('visits'), VISITORS);
  const companies = startCompanies({
    world,
    deployment,
    measuredUrl,
    random: random('companies'),
    concurrency: COMPANIES,
  });
  const probe = await startLatencyProbe(world, measuredUrl, {
    random: random('latency'),
    onAccepted: ledger.recordAccepted,
  });
  const work = workload.work();
  const problems: string[] = [];

  return {
    probe,
    counts: () => ({
      'emissions accepted': ledger.acceptedCount + companies.emissions,
      'emissions shown': screens.shown,
      'short-lived dashboards': visits.count,
      'companies gone': companies.gone,
      deploys: churn.counts.deploy,
      'scalings up': churn.counts.scaleUp,
      'scalings down': churn.counts.scaleDown,
      rotations: churn.counts.rotate,
      'processes started':
        deployment.started +
        fleet.restarts.worker +
        fleet.restarts.gateway +
        fleet.workers.length +
        fleet.gateways.length,
      faults: faults.records.length,
    }),
    violations: () => [
      ...problems,
      ...testbed.violations(),
      ...screens.violations,
      ...Object.entries(screens.reloads).map(([reason, count]) => `${count} reloads because of "${reason}"`),
      ...[deployment, churn, visits, companies, probe].flatMap((part) => part.violations),
    ],
    /** Ends the load, waits until everything is published, and compares every screen with the list. */
    async end() {
      workload.stop();
      await Promise.all([work, probe.end(), churn.end(), visits.end(), companies.end(), faults.end()]);
      const { problem } = await testbed.settle(SETTLE_MS);
      if (problem !== undefined) problems.push(problem);
      await eventually(
        'every screen to equal the list',
        async () => (await screens.differences(measuredUrl)).length === 0,
        SETTLE_MS,
      ).catch((error: unknown) => problems.push((error as Error).message));
    },
  };
}
