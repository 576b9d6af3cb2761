import { setTimeout as pause } from 'node:timers/promises';
import { PRIORITY } from '../../src/queue/retry-policy.ts';
import type { FeedRequest } from '../contenders/feed-bulk.ts';
import { quantile, type Threshold } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { emptyQueue, fillQueue } from '../harness/queue.ts';
import { compare, sampledQuantile, type SampledQuantile } from '../harness/compare.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const LIVE_RATE = 50;
const BULK_RATE = 1_500;
/** Short turns, three in each round: the machine's speed varies, and p99 depends on a few bookings of a turn. */
const SECONDS = 8;
const TURNS = 3;
/** A backlog that no worker finishes in one turn. */
const BACKLOG = 60_000;
const WARM_UP_SECONDS = 4;
const PATH = '/api/v1/internal/socket/appointment-updated';
const P50 = 'event p50, ms';
const P99 = 'event p99, ms';
const FED = `bulk emissions/s, of ${BULK_RATE.toLocaleString('en')} added`;
const DRAINED = 'bulk emissions/s from a backlog';

const THRESHOLDS: Threshold[] = [
  ...[P50, P99].map((figure): Threshold => ({
    claim: `${figure.slice(0, -4)} of live bookings beside bulk emissions, relative to the same in another fleet`,
    ...{ figure, contender: 'bulk in the same fleet', baseline: 'bulk in another fleet' },
    ...{ bound: 'at most', threshold: 1.15, ...(figure === P99 && { pooledQuantile: 0.99 }) },
  })),
  {
    claim: 'bulk emissions beside live bookings, relative to those in another fleet',
    ...{ figure: FED, contender: 'bulk in the same fleet', baseline: 'bulk in another fleet' },
    ...{ bound: 'at least', threshold: 0.95 },
  },
  {
    claim: 'backlog of a worker without live bookings, relative to the same on an idle machine',
    ...{ figure: DRAINED, contender: 'one live booking a minute', baseline: 'alone' },
    ...{ bound: 'at least', threshold: 0.95 },
  },
];

/** An API and a worker with separate queues, and the ids used for its bulk emissions and for its live bookings. */
interface Fleet {
  url: string;
  bulk: BenchEnvironment;
  live: BenchEnvironment;
  /** Adds bulk emissions of the other companies at a rate, until it is called with 0. */
  feed: (rate: number) => void;
}

/**
 * Live bookings of one company beside bulk emissions of another one. A second fleet that does the same bulk work uses as much
 * CPU, but shares no queue, worker or gateway: it shows how much of the delay is due to the machine alone.
 */
export const fairness: Scenario = {
  title: `Live bookings at ${LIVE_RATE}/s beside ${BULK_RATE.toLocaleString('en')} bulk emissions/s`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment({ companies: 2 });
    try {
      const [fleet, other] = [await openFleet(environment, 'fleet'), await openFleet(environment, 'other')];
      const besideBulk = async (bulkFleet: Fleet) => {
        bulkFleet.feed(BULK_RATE);
        const done = countFinished(bulkFleet);
        const latencies = await measureLatency(fleet);
        const perSecond = await done();
        bulkFleet.feed(0);
        await emptyQueue(bulkFleet.bulk);
        return { ...latencies, [FED]: perSecond };
      };
      const latencies = await compare(
        [
          { name: 'no bulk', round: () => measureLatency(fleet) },
          { name: 'bulk in another fleet', round: () => besideBulk(other) },
          { name: 'bulk in the same fleet', round: () => besideBulk(fleet) },
        ],
        rounds,
        TURNS,
      );
      const draining = async (work: () => Promise<unknown>) => {
        await fleet.bulk.queue.pause();
        await fillQueue(fleet.bulk, BACKLOG, PRIORITY.batch);
        await fleet.bulk.queue.resume();
        const done = countFinished(fleet);
        await work();
        const perSecond = await done();
        if ((await fleet.bulk.queue.getPrioritizedCount()) === 0) throw new Error('the backlog is too small');
        await emptyQueue(fleet.bulk);
        return { [DRAINED]: perSecond };
      };
      const rates = await compare(
        [
          { name: 'alone', round: () => draining(() => pause(SECONDS * 1_000)) },
          {
            name: 'one live booking a minute',
            round: () =>
              draining(() =>
                Promise.all([pause(SECONDS * 1_000), fireAtRate(fleet.live, loadOf(fleet, 1, 1))]),
              ),
          },
          { name: `${LIVE_RATE} live bookings/s`, round: () => draining(() => measureLatency(fleet)) },
        ],
        rounds,
      );
      return { figures: [...latencies, ...rates] };
    } finally {
      await environment.close();
    }
  },
};

async function openFleet(environment: BenchEnvironment, name: string): Promise<Fleet> {
  const own = environment.ids[0]!.companyId;
  const env = { SOCKET_ADAPTER_KEY: name };
  const { contender, queues, settled } = await startFleet(environment, 'our', `{${name}}`, env);
  const feeder = await environment.start('contenders/feed-bulk.ts', { QUEUE_PREFIX: `{${name}}` });
  const body = nextBody(environment);
  await warmUp({ contender, path: PATH, connections: 20, body, seconds: WARM_UP_SECONDS });
  await settled();
  const others = environment.ids.filter(({ companyId }) => companyId !== own);
  const live = environment.ids.filter(({ companyId }) => companyId === own);
  return {
    url: contender.url,
    bulk: { ...environment, queue: queues.bulk, ids: others },
    live: { ...environment, queue: queues.live, ids: live },
    feed: (rate) => {
      feeder.send({ rate, ids: others.slice(0, 500) } satisfies FeedRequest);
    },
  };
}

const loadOf = ({ url }: Fleet, rate: number, count: number) => ({ url, path: PATH, rate, count });

async function measureLatency(fleet: Fleet): Promise<Record<string, number | SampledQuantile>> {
  const { events } = await fireAtRate(fleet.live, loadOf(fleet, LIVE_RATE, LIVE_RATE * SECONDS));
  return {
    [P50]: quantile(events, 0.5),
    'event p95, ms': quantile(events, 0.95),
    [P99]: sampledQuantile(events, 0.99),
  };
}

/** Counts the bulk emissions that the fleet finishes, per second, until the returned function is called. */
function countFinished({ bulk: { queue, redis } }: Fleet): () => Promise<number> {
  const key = queue.toKey('metrics:completed');
  const read = async () => ({ count: Number(await redis.hget(key, 'count')), at: performance.now() });
  const before = read();
  return async () => {
    const [from, to] = [await before, await read()];
    return ((to.count - from.count) / (to.at - from.at)) * 1_000;
  };
}
