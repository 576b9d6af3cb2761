import { setTimeout as pause } from 'node:timers/promises';
import { type StreamPosition } from '@appointment-emissions/contracts';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { signToken } from '../../test/harness/dashboard.ts';
import type { CrowdRequest } from '../contenders/crowd.ts';
import { compare, sampledQuantile, type SampledQuantile } from '../harness/compare.ts';
import { createEmitter } from '../harness/emitter.ts';
import { JWT_SECRET, openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import { quantile, type Threshold } from '../harness/figures.ts';
import { fireAtRate } from '../harness/fire.ts';
import { startFleet } from '../harness/fleet.ts';
import { catchUp, requestList } from '../harness/dashboard-requests.ts';
import { nextBody, spread, warmUp } from '../harness/load.ts';
import type { Scenario } from '../scenario.ts';

const COMPANIES = 50;
const APPOINTMENTS_EACH = 40;
/** More of the crowd's company: its lists are long. */
const CROWD_APPOINTMENTS = 1_000;
const CROWD = { dashboards: 1_000, lists: 20 };
/** Of the other companies together, per second: live bookings, reconnects with a catch-up, lists. */
const RATES = { live: 50, catchUps: 20, lists: 20 };
const SECONDS = 8;
const TURNS = 3;
const WARM_UP_SECONDS = 4;
/** Emissions that a reconnecting dashboard has missed. */
const MISSED = 5;
const PATH = '/api/v1/internal/socket/appointment-updated';
const IN = { same: 'a crowd in the same fleet', another: 'a crowd in another fleet', none: 'no crowd' };
const P99 = {
  events: 'event p99 of the other companies, ms',
  catchUps: 'reconnect and catch-up p99 of the other companies, ms',
  lists: 'list p99 of the other companies, ms',
};

const THRESHOLDS = Object.values(P99).map((figure): Threshold => ({
  claim: `${figure.replace(' of the other companies, ms', '')} of 49 companies beside a crowd, relative to a crowd in another fleet`,
  ...{ figure, contender: IN.same, baseline: IN.another },
  ...{ bound: 'at most', threshold: 1.15, pooledQuantile: 0.99 },
}));

interface Company {
  token: string;
  head: StreamPosition;
}

interface Fleet {
  url: string;
  live: BenchEnvironment;
  /** Starts the crowd; returns the function that ends it. */
  gather: () => Promise<() => void>;
  /** The other companies, with the heads of their logs. */
  others: () => Promise<Company[]>;
}

/** Milliseconds, by figure. */
type Samples = Record<keyof typeof P99, number[]>;

/**
 * Live bookings, reconnects and lists of 49 companies while the dashboards of another one all reconnect, again and again, and request
 * lists in a loop. The same crowd in another fleet shows how much of the delay is due to the machine alone.
 */
export const crowd: Scenario = {
  title: `49 companies while ${CROWD.dashboards.toLocaleString('en')} dashboards of another one reconnect, and ${CROWD.lists} request lists`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment({
      ...{ companies: COMPANIES, appointments: COMPANIES * APPOINTMENTS_EACH },
    });
    try {
      await addAppointments(environment);
      const [fleet, other] = [await openFleet(environment, 'fleet'), await openFleet(environment, 'other')];
      const contender = (name: string, crowded?: Fleet) => ({
        name,
        round: async () => {
          const disperse = await crowded?.gather();
          const samples = await measure(fleet);
          disperse?.();
          return summarize(samples);
        },
      });
      const contenders = [contender(IN.none), contender(IN.another, other), contender(IN.same, fleet)];
      return { figures: await compare(contenders, rounds, TURNS) };
    } finally {
      await environment.close();
    }
  },
};

function summarize(samples: Samples): Record<string, number | SampledQuantile> {
  const figures = Object.entries(P99).map(([key, figure]) => {
    const values = samples[key as keyof Samples];
    return [
      [figure.replace('p99', 'p50'), quantile(values, 0.5)],
      [figure, sampledQuantile(values, 0.99)],
    ] as const;
  });
  return Object.fromEntries(figures.flat());
}

async function addAppointments({ models, ids }: BenchEnvironment): Promise<void> {
  const appointments = models.appointments();
  const _id = new models.ObjectId(ids[0]!.appointmentId);
  const first = (await appointments.findOne({ _id }))!;
  const copies = Array.from({ length: CROWD_APPOINTMENTS }, () => ({ ...first, _id: new models.ObjectId() }));
  await appointments.insertMany(copies);
}

async function openFleet(environment: BenchEnvironment, name: string): Promise<Fleet> {
  const prefix = `{${name}}`;
  const over = { SOCKET_ADAPTER_KEY: name };
  const { contender, queues, settled } = await startFleet(environment, 'our', prefix, over);
  const crowdProcess = await environment.start('contenders/crowd.ts');
  const body = nextBody(environment);
  await warmUp({ contender, path: PATH, connections: 20, body, seconds: WARM_UP_SECONDS });
  await settled();
  const own = { ...environment, env: { ...environment.env, QUEUE_PREFIX: prefix }, adapterKey: name };
  const emit = createEmitter(own);
  // Each company has missed emissions, and the crowd many.
  await Promise.all(environment.ids.map(emit));
  const { head } = createCompanyLog(environment.redis, { keys: createCompanyKeys(prefix) });
  const { url } = contender;
  const companyIds = [...new Set(environment.ids.map(({ companyId }) => companyId))];
  const [companyId = '', ...others] = companyIds;
  const othersIds = environment.ids.filter((id) => id.companyId !== companyId);
  const tokens = new Map(
    await Promise.all(others.map(async (id) => [id, await signToken(JWT_SECRET, id, '1h')] as const)),
  );
  return {
    url,
    live: { ...environment, queue: queues.live, ids: spread(othersIds) },
    async gather() {
      const request: CrowdRequest = { url, companyId, head: await head(companyId), ...CROWD };
      crowdProcess.send(request);
      await pause(1_000);
      return () => {
        crowdProcess.send({ ...request, dashboards: 0 } satisfies CrowdRequest);
      };
    },
    others: () => Promise.all(others.map(async (id) => ({ token: tokens.get(id)!, head: await head(id) }))),
  };
}

async function measure(fleet: Fleet): Promise<Samples> {
  const companies = await fleet.others();
  const { live, url } = fleet;
  const of = (index: number): Company => companies[index % companies.length]!;
  const load = { url, path: PATH, rate: RATES.live, count: RATES.live * SECONDS };
  const [{ events }, catchUps, lists] = await Promise.all([
    fireAtRate(live, load),
    atRate(RATES.catchUps, (index) => catchUp(url, of(index).token, before(of(index).head))),
    atRate(RATES.lists, (index) => list(url, of(index).token)),
  ]);
  return { events, catchUps, lists };
}

/** Calls `run` in an open loop. @returns how long each call took, in ms */
async function atRate(perSecond: number, run: (index: number) => Promise<void>): Promise<number[]> {
  const startedAt = performance.now();
  const runs: Promise<number>[] = [];
  const timed = async (index: number): Promise<number> => {
    const at = performance.now();
    await run(index);
    return performance.now() - at;
  };
  for (let index = 0; index < perSecond * SECONDS; index += 1) {
    await pause(Math.max(0, startedAt + (index * 1_000) / perSecond - performance.now()));
    runs.push(timed(index));
    runs.at(-1)!.catch(() => undefined);
  }
  return Promise.all(runs);
}

async function list(url: string, token: string): Promise<void> {
  const appointments = await requestList(url, token);
  if (appointments < APPOINTMENTS_EACH) throw new Error(`the list has ${appointments} appointments`);
}

/** Where a dashboard was that missed emissions. */
function before({ epoch, offset }: StreamPosition): StreamPosition {
  return { epoch, offset: Math.max(0, offset - MISSED) };
}
