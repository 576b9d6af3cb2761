import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { quantile } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { emptyQueue, fillQueue } from '../harness/queue.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const WAITING = 100_000;
const RATE = 50;
const SECONDS = 8;
const PATH = '/api/v1/internal/socket/appointment-updated';

/** Live bookings of one company, alone and while a batch of another company is worked off. */
export const fairness: Scenario = {
  title: `live bookings at ${RATE}/s while a batch of ${WAITING.toLocaleString('en')} is worked off`,
  musts: [],
  async run(rounds) {
    const stage = await openStage({ companies: 2 });
    const own = stage.ids[0]!.companyId;
    const [live, others] = [
      { ...stage, ids: stage.ids.filter(({ companyId }) => companyId === own) },
      { ...stage, ids: stage.ids.filter(({ companyId }) => companyId !== own) },
    ];
    try {
      const [{ url }] = await Promise.all([
        stage.start('sides/our-api.ts'),
        stage.start('sides/our-worker.ts'),
      ]);
      const shoot = async () => {
        const { events } = await fireAtRate(live, { url, path: PATH, rate: RATE, count: RATE * SECONDS });
        return { 'event p50, ms': quantile(events, 0.5), 'event p99, ms': quantile(events, 0.99) };
      };
      const figures = await sideBySide(
        [
          { name: 'nothing else', round: shoot },
          {
            name: 'batch of 100,000',
            round: async () => {
              await stage.queue.pause();
              await fillQueue(others, WAITING, PRIORITY.batch);
              await stage.queue.resume();
              const measured = await shoot();
              const left = await stage.queue.getPrioritizedCount();
              if (left === 0) throw new Error('the batch was done before the bookings were');
              await emptyQueue(stage);
              return measured;
            },
          },
        ],
        rounds,
      );
      return { figures };
    } finally {
      await stage.close();
    }
  },
};
