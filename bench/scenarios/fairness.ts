import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { quantile } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { fillQueue } from '../harness/queue.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const WAITING = 100_000;
const RATE = 50;
/** Short turns, three in each round: the machine's speed varies, and p99 depends on a few bookings of a turn. */
const SECONDS = 10;
const TURNS = 3;
const WARM_UP_SECONDS = 4;
const PATH = '/api/v1/internal/socket/appointment-updated';
/** Live bookings per second in the other fleet, just enough that its worker never runs the batch at full speed. */
const OTHER_FLEET_RATE = 0.5;
const P99 = 'event p99, ms';
const QUANTILES = [
  ['event p50, ms', 0.5],
  ['event p95, ms', 0.95],
  [P99, 0.99],
] as const;

/** An API and a worker with separate queues, and the ids used for its batch and for its live bookings. */
interface Fleet {
  url: string;
  batch: BenchEnvironment;
  live: BenchEnvironment;
}

/**
 * Live bookings of one company in three situations: without a batch, while the same fleet processes a batch of another
 * company, and while a second fleet processes that batch. The second fleet uses as much CPU but shares no queue, worker or
 * gateway, so it shows how much of the delay is due to the machine alone.
 */
export const fairness: Scenario = {
  title: `Live bookings at ${RATE}/s during a batch of ${WAITING.toLocaleString('en')}`,
  thresholds: [
    {
      claim: 'p99 of live bookings during a batch of 100,000, relative to a batch in another fleet',
      figure: P99,
      ...{
        contender: 'batch of 100,000',
        baseline: 'batch in another fleet',
        bound: 'at most',
        threshold: 1.15,
      },
    },
  ],
  async run(rounds) {
    const environment = await openEnvironment({ companies: 2 });
    const own = environment.ids[0]!.companyId;
    const open = async (name: string): Promise<Fleet> => {
      const { contender, queues, settled } = await startFleet(environment, 'our', `{${name}}`, {
        SOCKET_ADAPTER_KEY: name,
      });
      await warmUp({
        contender,
        path: PATH,
        connections: 20,
        body: nextBody(environment),
        seconds: WARM_UP_SECONDS,
      });
      await settled();
      return {
        url: contender.url,
        batch: {
          ...environment,
          queue: queues.bulk,
          ids: environment.ids.filter(({ companyId }) => companyId !== own),
        },
        live: {
          ...environment,
          queue: queues.live,
          ids: environment.ids.filter(({ companyId }) => companyId === own),
        },
      };
    };
    const measureLatency = async ({ live, url }: Fleet, rate = RATE) => {
      const { events } = await fireAtRate(live, { url, path: PATH, rate, count: rate * SECONDS });
      const figures = QUANTILES.map(([figure, part]) => [figure, quantile(events, part)]);
      return Object.fromEntries(figures) as Record<string, number>;
    };
    const whileDraining = async (
      { batch: { queue } }: Fleet,
      work: () => ReturnType<typeof measureLatency>,
    ) => {
      await queue.resume();
      const before = await queue.getPrioritizedCount();
      const measured = await work();
      const left = await queue.getPrioritizedCount();
      await queue.pause();
      if (left === 0) throw new Error('the batch was finished before the live bookings');
      return { ...measured, 'throughput of the batch, emissions/s': (before - left) / SECONDS };
    };
    try {
      const [fleet, other] = [await open('fleet'), await open('other')];
      for (const { batch } of [fleet, other]) {
        await batch.queue.pause();
        await fillQueue(batch, WAITING, PRIORITY.batch);
      }
      const inBothFleets = async () =>
        (await Promise.all([measureLatency(fleet), measureLatency(other, OTHER_FLEET_RATE)]))[0];
      const figures = await compare(
        [
          { name: 'no batch', round: () => measureLatency(fleet) },
          { name: 'batch in another fleet', round: () => whileDraining(other, inBothFleets) },
          { name: 'batch of 100,000', round: () => whileDraining(fleet, () => measureLatency(fleet)) },
        ],
        rounds,
        TURNS,
      );
      return { figures };
    } finally {
      await environment.close();
    }
  },
};
