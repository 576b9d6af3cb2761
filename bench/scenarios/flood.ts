import { setTimeout as pause } from 'node:timers/promises';
import type { FloodRequest } from '../contenders/post-flood.ts';
import { quantile, type Threshold } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, spread, warmUp } from '../harness/load.ts';
import { queueAtMost } from '../harness/queue.ts';
import { compare, sampledQuantile, type SampledQuantile } from '../harness/compare.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const COMPANIES = 50;
/** Live bookings per second of the other 49 companies together. */
const LIVE_RATE = 50;
const SECONDS = 8;
const TURNS = 3;
const WARM_UP_SECONDS = 4;
const PATH = '/api/v1/internal/socket/appointment-updated';
const P99 = 'event p99 of the other companies, ms';
const POLL_MS = 50;

const FLOODS = {
  'a steady flood': { count: Number.MAX_SAFE_INTEGER, rate: 500 },
  'a flood at once': { count: 20_000 },
} satisfies Record<string, Pick<FloodRequest, 'count' | 'rate'>>;

const THRESHOLDS = Object.keys(FLOODS).map((flood): Threshold => ({
  claim: `p99 of 49 companies beside ${flood} of another one, relative to the same flood in another fleet`,
  ...{ figure: P99, contender: `${flood} in the same fleet`, baseline: `${flood} in another fleet` },
  ...{ bound: 'at most', threshold: 1.15, pooledQuantile: 0.99 },
}));

interface Fleet {
  url: string;
  live: BenchEnvironment;
  flood: (request: Pick<FloodRequest, 'count' | 'rate'>) => void;
  /** Resolves when no emission waits. @throws if one failed */
  settled: () => Promise<void>;
}

/**
 * Live bookings of 49 companies while another one floods the live route: with 500 emissions a second, and with 20,000 at once.
 * The same flood in another fleet shows how much of the delay is due to the machine alone.
 */
export const flood: Scenario = {
  title: `Live bookings of 49 companies at ${LIVE_RATE}/s beside a flood of another company`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment({ companies: COMPANIES });
    try {
      const [fleet, other] = [await openFleet(environment, 'fleet'), await openFleet(environment, 'other')];
      const beside = async (flooded: Fleet, request: Pick<FloodRequest, 'count' | 'rate'>) => {
        flooded.flood(request);
        const latencies = await measureLatency(fleet);
        flooded.flood({ count: 0 });
        await flooded.settled();
        return latencies;
      };
      const contenders = Object.entries(FLOODS).flatMap(([name, request]) => [
        { name: `${name} in another fleet`, round: () => beside(other, request) },
        { name: `${name} in the same fleet`, round: () => beside(fleet, request) },
      ]);
      const withoutFlood = { name: 'no flood', round: () => measureLatency(fleet) };
      return { figures: await compare([withoutFlood, ...contenders], rounds, TURNS) };
    } finally {
      await environment.close();
    }
  },
};

async function openFleet(environment: BenchEnvironment, name: string): Promise<Fleet> {
  const flooding = environment.ids[0]!.companyId;
  const { contender, queues } = await startFleet(environment, 'our', `{${name}}`, {
    SOCKET_ADAPTER_KEY: name,
    // As in production.
    MAX_LIVE_PER_COMPANY_PER_SECOND: '',
  });
  const floods = await environment.start('contenders/post-flood.ts');
  const settled = async (): Promise<void> => {
    await queueAtMost({ queue: queues.live }, 0);
    while ((await queues.bulk.getPrioritizedCount()) > 0) await pause(POLL_MS);
    await queueAtMost({ queue: queues.bulk }, 0);
    const failed = (await queues.live.getFailedCount()) + (await queues.bulk.getFailedCount());
    if (failed > 0) throw new Error(`${failed} emissions failed`);
  };
  const body = nextBody(environment);
  await warmUp({ contender, path: PATH, connections: 20, body, seconds: WARM_UP_SECONDS });
  await settled();
  const [own, others] = [true, false].map((isOwn) =>
    environment.ids.filter(({ companyId }) => (companyId === flooding) === isOwn),
  );
  return {
    url: contender.url,
    live: { ...environment, queue: queues.live, ids: spread(others!) },
    flood: (request) => {
      const appointmentIds = own!.map(({ appointmentId }) => appointmentId);
      floods.send({ url: contender.url + PATH, appointmentIds, ...request } satisfies FloodRequest);
    },
    settled,
  };
}

async function measureLatency({ live, url }: Fleet): Promise<Record<string, number | SampledQuantile>> {
  const { events } = await fireAtRate(live, { url, path: PATH, rate: LIVE_RATE, count: LIVE_RATE * SECONDS });
  return {
    'event p50 of the other companies, ms': quantile(events, 0.5),
    [P99]: sampledQuantile(events, 0.99),
  };
}
