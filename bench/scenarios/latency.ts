import { compare, sampledQuantile } from '../harness/compare.ts';
import type { RunningContender } from '../harness/contenders.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import { quantile, type Threshold } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import type { FullDashboard } from '../harness/full-dashboard.ts';
import { nextBody, warmUp } from '../harness/load.ts';
import { hasCentrifugo, startExpressCentrifugo } from '../peers/centrifugo.ts';
import { openCentrifugoDashboard } from '../peers/centrifugo-dashboards.ts';
import { hasSockudo, startExpressSockudo } from '../peers/sockudo.ts';
import { openSockudoDashboard } from '../peers/sockudo-dashboards.ts';
import { EXPRESS_CENTRIFUGO, EXPRESS_SOCKUDO, type Scenario } from '../scenario.ts';

const SINGLE = '/api/v1/internal/socket/appointment-updated';
/** One long turn: at 600/s a contender that cannot keep up needs time until its queue is full. */
const LONG = { seconds: 7, turns: 1 };
/**
 * Five short turns at 100/s, so that the machine's speed is the same for all contenders. With three, the p99 of all rounds rested on
 * about six moments in which the machine was slow: its ratio was 0.7 in one run and 1.05 in the next.
 */
const SHORT = { seconds: 4, turns: 5 };
const MIN_POSTS = 15;
/** Long enough to compile the code: rounds at low rates have too few requests for that. */
const WARM_UP_SECONDS = 6;
const EVENT = { p50: 'event p50, ms', p99: 'event p99, ms' };
const REPLY = { p50: 'reply p50, ms', p99: 'reply p99, ms' };
const BASE = { contender: 'ours', baseline: 'in-process', bound: 'at most' } as const;

const PEER = { contender: 'ours', baseline: EXPRESS_CENTRIFUGO, bound: 'at most' } as const;
const RELATIVE = `relative to ${EXPRESS_CENTRIFUGO}`;

function eventP50(rate: number, threshold: number): Threshold {
  const claim = `POST → dashboard at ${rate}/s, p50, ${RELATIVE}`;
  return { ...PEER, claim, figure: EVENT.p50, threshold };
}

/** The p99 of one round rests on a few samples, so the rounds are taken together. */
function eventP99(rate: number, threshold: number): Threshold {
  const claim = `POST → dashboard at ${rate}/s, p99 of all rounds together, ${RELATIVE}`;
  return { ...PEER, claim, figure: EVENT.p99, threshold, pooledQuantile: 0.99 };
}

function replyP50(rate: number, threshold: number): Threshold {
  const claim = `reply to the bot at ${rate}/s, p50, ${RELATIVE}`;
  return { ...PEER, claim, figure: REPLY.p50, threshold };
}

/** Thresholds by rate. The other rates only show how latency grows with load. */
const THRESHOLDS: Record<number, Threshold[]> = {
  20: [eventP50(20, 1.15), eventP99(20, 1.1), replyP50(20, 0.6)],
  100: [
    { claim: 'POST → dashboard at 100/s, p50', figure: EVENT.p50, ...BASE, threshold: 1.6, target: 1 },
    { claim: 'POST → dashboard at 100/s, p99', figure: EVENT.p99, ...BASE, threshold: 1.5, target: 0.8 },
    { claim: 'reply to the bot at 100/s, p50', figure: REPLY.p50, ...BASE, threshold: 0.8, target: 0.5 },
    ...[eventP50(100, 1.15), eventP99(100, 1), replyP50(100, 0.6)],
  ],
  300: [eventP99(300, 1)],
  600: [
    { claim: 'POST → dashboard at 600/s, p99', figure: EVENT.p99, ...BASE, threshold: 0.1, target: 0.03 },
  ],
};

interface LatencyContender {
  name: string;
  contender: RunningContender;
  path: string;
  /** Of the warm-up. */
  connections: number;
  /** Resolves when the work of the warm-up is done. */
  settled?: () => Promise<unknown>;
  openDashboard?: (companyId: string) => Promise<FullDashboard>;
}

/** From the POST to the event on the dashboard and to the reply, at a steady rate. */
export function latency(rate: number): Scenario {
  const { seconds, turns } = rate === 100 ? SHORT : LONG;
  return {
    title: `POST → dashboard at ${rate}/s`,
    thresholds: THRESHOLDS[rate] ?? [],
    async run(rounds) {
      const environment = await openEnvironment();
      try {
        const contenders = await startContenders(environment);
        for (const { contender, path, connections, settled } of contenders) {
          const load = { contender, path, connections, body: nextBody(environment) };
          await warmUp({ ...load, seconds: WARM_UP_SECONDS });
          await settled?.();
        }
        const count = Math.max(Math.round(rate * seconds), MIN_POSTS);
        const measure = contenders.map(({ name, contender: { url }, path, openDashboard }) => ({
          name,
          round: async () => {
            const load = { url, path, rate, count, ...(openDashboard && { openDashboard }) };
            const { events, replies } = await fireAtRate(environment, load);
            return {
              [EVENT.p50]: quantile(events, 0.5),
              [EVENT.p99]: sampledQuantile(events, 0.99),
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

async function startContenders(environment: BenchEnvironment): Promise<LatencyContender[]> {
  const pipeline = (kind: string, prefix = environment.env['QUEUE_PREFIX']!) =>
    startFleet(environment, kind, prefix, { HOPS_COMPANY: environment.ids[0]!.companyId });
  const simple = { path: '/emit', connections: 20 };
  return [
    { name: 'in-process', ...simple, contender: await environment.start('contenders/in-process.ts') },
    { name: 'hops only', ...simple, ...(await pipeline('hops', '{hops}')) },
    // Few connections: the naive worker needs 30 s for what its API accepts in 6 s with 20 connections.
    { name: 'naive', ...simple, connections: 2, ...(await pipeline('naive', '{naive}')) },
    ...(hasCentrifugo() ? [{ ...simple, ...(await expressCentrifugo(environment)) }] : []),
    ...(hasSockudo() ? [{ ...simple, ...(await expressSockudo(environment)) }] : []),
    { name: 'ours', ...(await pipeline('our')), path: SINGLE, connections: 20 },
  ];
}

async function expressCentrifugo(environment: BenchEnvironment) {
  const { contender, centrifugo } = await startExpressCentrifugo(environment);
  return {
    name: EXPRESS_CENTRIFUGO,
    contender,
    openDashboard: (companyId: string) => openCentrifugoDashboard(centrifugo.url, companyId),
  };
}

async function expressSockudo(environment: BenchEnvironment) {
  const { contender, sockudo } = await startExpressSockudo(environment);
  return {
    name: EXPRESS_SOCKUDO,
    contender,
    openDashboard: (companyId: string) => openSockudoDashboard(sockudo.url, companyId),
  };
}
