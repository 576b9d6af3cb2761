import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { emptyQueue } from '../harness/queue.ts';
import { compare } from '../harness/compare.ts';
import { API_KEY, openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const RATE = 50;
/** Short turns, three in each round: p99 depends on a few bookings of a turn. */
const SECONDS = 8;
const TURNS = 3;
const WARM_UP_SECONDS = 4;
const ROUTES = '/api/v1/internal/socket';
const PATH = `${ROUTES}/appointment-updated`;
/** Together 100,000 emissions in 25 s. */
const SIZE = 1_000;
const EVERY_MS = 250;

/** Live bookings of one company while the same API accepts batches of another company and a worker processes them. */
export const posting: Scenario = {
  title: `Live bookings at ${RATE}/s while a batch of ${SIZE.toLocaleString('en')} is posted every ${EVERY_MS} ms`,
  thresholds: [],
  async run(rounds) {
    const environment = await openEnvironment({ companies: 2 });
    try {
      const own = environment.ids[0]!.companyId;
      const { contender, queues, settled } = await startFleet(environment, 'our', '{posting}');
      await warmUp({
        contender,
        path: PATH,
        connections: 20,
        body: nextBody(environment),
        seconds: WARM_UP_SECONDS,
      });
      await settled();
      const live = { ...environment, ids: environment.ids.filter(({ companyId }) => companyId === own) };
      const others = environment.ids.filter(({ companyId }) => companyId !== own);
      const body = JSON.stringify({
        emissions: Array.from({ length: SIZE }, (_, i) => ({
          event: 'appointment:updated',
          appointmentId: others[i % others.length]!.appointmentId,
        })),
      });
      const measureLatency = async () => {
        const load = { url: contender.url, path: PATH, rate: RATE, count: RATE * SECONDS };
        const { events, replies } = await fireAtRate(live, load);
        return {
          'event p50, ms': quantile(events, 0.5),
          'event p99, ms': quantile(events, 0.99),
          'reply p99, ms': quantile(replies, 0.99),
        };
      };
      const whilePosted = async () => {
        const finished = new AbortController();
        const posting = (async () => {
          while (!finished.signal.aborted)
            await Promise.all([postBatch(contender.url, body), pause(EVERY_MS)]);
        })();
        const latencies = measureLatency().finally(() => {
          finished.abort();
        });
        const [measured] = await Promise.all([latencies, posting]);
        await emptyQueue({ queue: queues.bulk });
        return measured;
      };
      const contenders = [
        { name: 'no batches', round: measureLatency },
        { name: 'with batches', round: whilePosted },
      ];
      return { figures: await compare(contenders, rounds, TURNS) };
    } finally {
      await environment.close();
    }
  },
};

async function postBatch(url: string, body: string): Promise<void> {
  const response = await fetch(`${url}${ROUTES}/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
    body,
  });
  await response.text();
  if (response.status !== 202) throw new Error(`the batch route replied ${response.status}, not 202`);
}
