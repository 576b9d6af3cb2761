import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { quantile } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { fillQueue } from '../harness/queue.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage, type Stage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const WAITING = 100_000;
const RATE = 50;
/** Short, and three a round: a second later the machine may be another, and p99 is the worst few of a turn's bookings. */
const SECONDS = 10;
const TURNS = 3;
const WARM_UP_SECONDS = 4;
const PATH = '/api/v1/internal/socket/appointment-updated';
/** A second, of the fleet beside: as many that it never takes its batch for alone. */
const LIVE_THERE = 0.5;
const P99 = 'event p99, ms';
const QUANTILES = [
  ['event p50, ms', 0.5],
  ['event p95, ms', 0.95],
  [P99, 0.99],
] as const;

/** API and worker with a queue of their own: whose ids are the batch, and whose are the live bookings. */
interface Fleet {
  url: string;
  batch: Stage;
  live: Stage;
}

/**
 * Live bookings of one company: alone, while a batch of another company is worked off, and while another fleet works off that
 * batch, which takes as much of the machine and shares no queue, no worker and no gateway.
 */
export const fairness: Scenario = {
  title: `live bookings at ${RATE}/s while a batch of ${WAITING.toLocaleString('en')} is worked off`,
  musts: [
    {
      says: 'p99 of live bookings beside a batch of 100,000, against beside another fleet’s',
      figure: P99,
      ...{ side: 'batch of 100,000', against: 'batch of another fleet', bound: 'at most', must: 1.15 },
    },
  ],
  async run(rounds) {
    const stage = await openStage({ companies: 2 });
    const own = stage.ids[0]!.companyId;
    const open = async (name: string): Promise<Fleet> => {
      const { side, queues, settled } = await startFleet(stage, 'our', `{${name}}`, {
        SOCKET_ADAPTER_KEY: name,
      });
      await warmUp({ side, path: PATH, connections: 20, body: nextBody(stage), seconds: WARM_UP_SECONDS });
      await settled();
      return {
        url: side.url,
        batch: { ...stage, queue: queues.bulk, ids: stage.ids.filter(({ companyId }) => companyId !== own) },
        live: { ...stage, queue: queues.live, ids: stage.ids.filter(({ companyId }) => companyId === own) },
      };
    };
    const shoot = async ({ live, url }: Fleet, rate = RATE) => {
      const { events } = await fireAtRate(live, { url, path: PATH, rate, count: rate * SECONDS });
      const figures = QUANTILES.map(([figure, part]) => [figure, quantile(events, part)]);
      return Object.fromEntries(figures) as Record<string, number>;
    };
    const whileWorksOff = async ({ batch: { queue } }: Fleet, work: () => ReturnType<typeof shoot>) => {
      await queue.resume();
      const before = await queue.getPrioritizedCount();
      const measured = await work();
      const left = await queue.getPrioritizedCount();
      await queue.pause();
      if (left === 0) throw new Error('the batch was done before the bookings were');
      return { ...measured, 'of the batch, emissions/s': (before - left) / SECONDS };
    };
    try {
      const [fleet, other] = [await open('fleet'), await open('other')];
      for (const { batch } of [fleet, other]) {
        await batch.queue.pause();
        await fillQueue(batch, WAITING, PRIORITY.batch);
      }
      const beside = async () => (await Promise.all([shoot(fleet), shoot(other, LIVE_THERE)]))[0];
      const figures = await sideBySide(
        [
          { name: 'nothing else', round: () => shoot(fleet) },
          { name: 'batch of another fleet', round: () => whileWorksOff(other, beside) },
          { name: 'batch of 100,000', round: () => whileWorksOff(fleet, () => shoot(fleet)) },
        ],
        rounds,
        TURNS,
      );
      return { figures };
    } finally {
      await stage.close();
    }
  },
};
