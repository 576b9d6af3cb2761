import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { emptyQueue } from '../harness/queue.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { API_KEY, openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const RATE = 50;
/** Short, and three a round: p99 is the worst few of a turn's bookings. */
const SECONDS = 8;
const TURNS = 3;
const WARM_UP_SECONDS = 4;
const ROUTES = '/api/v1/internal/socket';
const PATH = `${ROUTES}/appointment-updated`;
/** A hundred thousand emissions in 25 s. */
const SIZE = 1_000;
const EVERY_MS = 250;

/** Live bookings of one company while batches of another are accepted by the same API, and worked off meanwhile. */
export const posting: Scenario = {
  title: `live bookings at ${RATE}/s while a batch of ${SIZE.toLocaleString('en')} is posted every ${EVERY_MS} ms`,
  musts: [],
  async run(rounds) {
    const stage = await openStage({ companies: 2 });
    try {
      const own = stage.ids[0]!.companyId;
      const { side, queues, settled } = await startFleet(stage, 'our', '{posting}');
      await warmUp({ side, path: PATH, connections: 20, body: nextBody(stage), seconds: WARM_UP_SECONDS });
      await settled();
      const live = { ...stage, ids: stage.ids.filter(({ companyId }) => companyId === own) };
      const others = stage.ids.filter(({ companyId }) => companyId !== own);
      const body = JSON.stringify({
        emissions: Array.from({ length: SIZE }, (_, i) => ({
          event: 'appointment:updated',
          appointmentId: others[i % others.length]!.appointmentId,
        })),
      });
      const shoot = async () => {
        const load = { url: side.url, path: PATH, rate: RATE, count: RATE * SECONDS };
        const { events, replies } = await fireAtRate(live, load);
        return {
          'event p50, ms': quantile(events, 0.5),
          'event p99, ms': quantile(events, 0.99),
          'reply p99, ms': quantile(replies, 0.99),
        };
      };
      const whilePosted = async () => {
        const over = new AbortController();
        const posting = (async () => {
          while (!over.signal.aborted) await Promise.all([postBatch(side.url, body), pause(EVERY_MS)]);
        })();
        const shots = shoot().finally(() => {
          over.abort();
        });
        const [measured] = await Promise.all([shots, posting]);
        await emptyQueue({ queue: queues.bulk });
        return measured;
      };
      const sides = [
        { name: 'nothing else', round: shoot },
        { name: 'batches are posted', round: whilePosted },
      ];
      return { figures: await sideBySide(sides, rounds, TURNS) };
    } finally {
      await stage.close();
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
  if (response.status !== 202) throw new Error(`a batch was answered ${response.status}`);
}
