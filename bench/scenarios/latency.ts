import { quantile, type Threshold } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const SINGLE = '/api/v1/internal/socket/appointment-updated';
/** One long turn: at 600/s a contender that cannot keep up needs time until its queue is full. */
const LONG = { seconds: 7, turns: 1 };
/** Three short turns at 100/s, so that the machine's speed is the same for all contenders. */
const SHORT = { seconds: 4, turns: 3 };
const MIN_POSTS = 15;
/** Long enough to compile the code: rounds at low rates have too few requests for that. */
const WARM_UP_SECONDS = 6;
const EVENT = { p50: 'event p50, ms', p99: 'event p99, ms' };
const REPLY = { p50: 'reply p50, ms', p99: 'reply p99, ms' };
const BASE = { contender: 'ours', baseline: 'in-process', bound: 'at most' } as const;

/** Thresholds by rate. The other rates only show how latency grows with load. */
const THRESHOLDS: Record<number, Threshold[]> = {
  100: [
    { claim: 'POST → dashboard at 100/s, p50', figure: EVENT.p50, ...BASE, threshold: 1.6, target: 1 },
    { claim: 'POST → dashboard at 100/s, p99', figure: EVENT.p99, ...BASE, threshold: 1.5, target: 0.8 },
    { claim: 'reply to the bot at 100/s, p50', figure: REPLY.p50, ...BASE, threshold: 0.8, target: 0.5 },
  ],
  600: [
    { claim: 'POST → dashboard at 600/s, p99', figure: EVENT.p99, ...BASE, threshold: 0.1, target: 0.03 },
  ],
};

/** From the POST to the event on the dashboard and to the reply, at a steady rate. */
export function latency(rate: number): Scenario {
  const { seconds, turns } = rate === 100 ? SHORT : LONG;
  return {
    title: `POST → dashboard at ${rate}/s`,
    thresholds: THRESHOLDS[rate] ?? [],
    async run(rounds) {
      const environment = await openEnvironment();
      try {
        const pipeline = (kind: string, prefix = environment.env['QUEUE_PREFIX']!) =>
          startFleet(environment, kind, prefix, { HOPS_COMPANY: environment.ids[0]!.companyId });
        const inProcess = {
          contender: await environment.start('contenders/in-process.ts'),
          settled: () => Promise.resolve(),
        };
        const contenders = [
          { name: 'in-process', ...inProcess, path: '/emit', connections: 20 },
          { name: 'hops only', ...(await pipeline('hops', '{hops}')), path: '/emit', connections: 20 },
          // Few connections: the naive worker needs 30 s for what its API accepts in 6 s with 20 connections.
          { name: 'naive', ...(await pipeline('naive', '{naive}')), path: '/emit', connections: 2 },
          { name: 'ours', ...(await pipeline('our')), path: SINGLE, connections: 20 },
        ];
        for (const { settled, ...load } of contenders) {
          await warmUp({ ...load, body: nextBody(environment), seconds: WARM_UP_SECONDS });
          await settled();
        }
        const count = Math.max(Math.round(rate * seconds), MIN_POSTS);
        const measure = contenders.map(({ name, contender: { url }, path }) => ({
          name,
          round: async () => {
            const { events, replies } = await fireAtRate(environment, { url, path, rate, count });
            return {
              [EVENT.p50]: quantile(events, 0.5),
              [EVENT.p99]: quantile(events, 0.99),
              [REPLY.p50]: quantile(replies, 0.5),
              [REPLY.p99]: quantile(replies, 0.99),
            };
          },
        }));
        return { figures: await compare(measure, rounds, turns) };
      } finally {
        await environment.close();
      }
    },
  };
}
