import { quantile, type Must } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const SINGLE = '/api/v1/internal/socket/appointment-updated';
/** At 600/s it takes its time until who can't keep up is full; at 100/s the machine must be the same for all. */
const LONG = { seconds: 7, turns: 1 };
const SHORT = { seconds: 4, turns: 3 };
const FEWEST = 15;
/** Until the code is compiled: rounds at low rates have too few requests for it. */
const WARM_UP_SECONDS = 6;
const EVENT = { p50: 'event p50, ms', p99: 'event p99, ms' };
const REPLY = { p50: 'reply p50, ms', p99: 'reply p99, ms' };
const BASE = { side: 'ours', against: 'in-process', bound: 'at most' } as const;

/** What must hold at a rate; the others show how it grows. */
const MUSTS: Record<number, Must[]> = {
  100: [
    { says: 'POST → dashboard at 100/s, p50', figure: EVENT.p50, ...BASE, must: 1.6, aim: 1 },
    { says: 'POST → dashboard at 100/s, p99', figure: EVENT.p99, ...BASE, must: 1.5, aim: 0.8 },
    { says: 'the reply to the bot at 100/s, p50', figure: REPLY.p50, ...BASE, must: 0.8, aim: 0.5 },
  ],
  600: [{ says: 'POST → dashboard at 600/s, p99', figure: EVENT.p99, ...BASE, must: 0.1, aim: 0.03 }],
};

/** POST → dashboard at a steady rate: how long the event and the bot's reply take. */
export function latency(rate: number): Scenario {
  const { seconds, turns } = rate === 100 ? SHORT : LONG;
  return {
    title: `POST → dashboard at ${rate}/s`,
    musts: MUSTS[rate] ?? [],
    async run(rounds) {
      const stage = await openStage();
      try {
        const pipeline = (kind: string, prefix = stage.env['QUEUE_PREFIX']!) =>
          startFleet(stage, kind, prefix, { HOPS_COMPANY: stage.ids[0]!.companyId });
        const inProcess = {
          side: await stage.start('sides/in-process.ts'),
          settled: () => Promise.resolve(),
        };
        const sides = [
          { name: 'in-process', ...inProcess, path: '/emit', connections: 20 },
          { name: 'hops alone', ...(await pipeline('hops', '{hops}')), path: '/emit', connections: 20 },
          // Its worker takes half a minute for what its API takes in six seconds.
          { name: 'naive', ...(await pipeline('naive', '{naive}')), path: '/emit', connections: 2 },
          { name: 'ours', ...(await pipeline('our')), path: SINGLE, connections: 20 },
        ];
        for (const { settled, ...load } of sides) {
          await warmUp({ ...load, body: nextBody(stage), seconds: WARM_UP_SECONDS });
          await settled();
        }
        const count = Math.max(Math.round(rate * seconds), FEWEST);
        const measure = sides.map(({ name, side: { url }, path }) => ({
          name,
          round: async () => {
            const { events, replies } = await fireAtRate(stage, { url, path, rate, count });
            return {
              [EVENT.p50]: quantile(events, 0.5),
              [EVENT.p99]: quantile(events, 0.99),
              [REPLY.p50]: quantile(replies, 0.5),
              [REPLY.p99]: quantile(replies, 0.99),
            };
          },
        }));
        return { figures: await sideBySide(measure, rounds, turns) };
      } finally {
        await stage.close();
      }
    },
  };
}
