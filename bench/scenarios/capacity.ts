import { openDashboards, type Audience } from '../harness/audience.ts';
import { loadWith } from '../harness/load.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import { cpuMicrosOf } from '../harness/server-process.ts';
import type { RunningContender } from '../harness/contenders.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const COMPANIES = 20;
const CONNECTIONS = 50;
const SECONDS = 4;
const JOBS = 12_000;
/** Share of the jobs that are not measured, because the worker's code is not compiled yet. */
const WARM_UP_SHARE = 0.25;
const PATH = '/api/v1/internal/socket/appointment-created';

const CPU = 'CPU time at full load, µs per emission';
const ACCEPTED = 'accepted, emissions/s';
const PUBLISHED = 'published, emissions/s';

/** The CPU time that each process spends on one emission, and the throughput of one and of two processes. */
export const capacity: Scenario = {
  title: `Capacity: CPU time per emission and process; ${COMPANIES} companies with one dashboard each`,
  thresholds: [],
  async run(rounds) {
    const environment = await openEnvironment({ companies: COMPANIES });
    const values = new Map<string, Map<string, number[]>>();
    const note = (figure: string, contender: string, value: number): void => {
      const contenders = values.get(figure) ?? new Map<string, number[]>();
      values.set(figure, contenders.set(contender, [...(contenders.get(contender) ?? []), value]));
    };
    try {
      const apis = await Promise.all([
        environment.start('contenders/our-api.ts'),
        environment.start('contenders/our-api.ts'),
      ]);
      const gateway = await environment.start('contenders/our-api.ts');
      const audiences = await openOneEach(environment, gateway);
      await accept(environment, apis);
      for (let round = 0; round < rounds; round += 1) {
        const one = await accept(environment, apis.slice(0, 1));
        const both = await accept(environment, apis);
        const first = await emit(environment, 1, gateway);
        const second = await emit(environment, 2, gateway);
        note(CPU, 'API', one.micros.API);
        for (const part of ['worker', 'gateway'] as const) note(CPU, part, first.micros[part]);
        for (const part of ['Redis', 'MongoDB'] as const)
          note(CPU, part, one.micros[part] + first.micros[part]);
        note(ACCEPTED, '1 API', one.perSecond);
        note(ACCEPTED, '2 APIs', both.perSecond);
        note(PUBLISHED, '1 worker', first.perSecond);
        note(PUBLISHED, '2 workers', second.perSecond);
      }
      for (const audience of audiences) audience.close();
      const figures = [...values].map(([name, contenders]) => ({
        name,
        contenders: [...contenders].map(([contender, own]) => ({ name: contender, values: own })),
      }));
      return { figures };
    } finally {
      await environment.close();
    }
  },
};

/** Opens one dashboard for each company. */
function openOneEach({ ids }: BenchEnvironment, { url }: RunningContender): Promise<Audience[]> {
  const companyIds = [...new Set(ids.map(({ companyId }) => companyId))];
  return Promise.all(companyIds.map((companyId) => openDashboards({ url, count: 1, companyId })));
}

/** Posts in a closed loop, without a worker. */
async function accept(environment: BenchEnvironment, apis: readonly RunningContender[]) {
  const servers = serverCpu(environment);
  let next = 0;
  const loads = await Promise.all(
    apis.map((contender) =>
      loadWith({
        contender,
        path: PATH,
        connections: CONNECTIONS / apis.length,
        seconds: SECONDS,
        body: () =>
          JSON.stringify({ appointmentId: environment.ids[next++ % environment.ids.length]!.appointmentId }),
      }),
    ),
  );
  const perSecond = loads.reduce((sum, load) => sum + load.perSecond, 0);
  const micros = { API: loads[0]!.cpuMicrosEach, ...servers.each(perSecond * SECONDS) };
  await environment.clear();
  return { perSecond, micros };
}

/** Drains a full queue. @param workers  number of worker processes */
async function emit(environment: BenchEnvironment, workers: number, gateway: RunningContender) {
  await fillQueue(environment, JOBS);
  const contenders = await Promise.all(
    Array.from({ length: workers }, () => environment.start('contenders/our-worker.ts')),
  );
  const from = await queueAtMost(environment, JOBS * (1 - WARM_UP_SHARE));
  const measured = [contenders[0]!, gateway];
  const cpu = () => Promise.all(measured.map((contender) => contender.measure('cpu')));
  const servers = serverCpu(environment);
  const before = await cpu();
  const to = await queueAtMost(environment, 0);
  const [workerMicros, gatewayMicros] = (await cpu()).map((micros, at) => (micros - before[at]!) / from.left);
  const micros = { worker: workerMicros!, gateway: gatewayMicros!, ...servers.each(from.left) };
  await Promise.all(contenders.map(({ stop }) => stop()));
  await environment.clear();
  return { perSecond: (from.left / (to.at - from.at)) * 1_000, micros };
}

/** Starts to measure the CPU time of Redis and MongoDB. `each` returns the µs per emission since then. */
function serverCpu({ pids }: BenchEnvironment): {
  each: (emissions: number) => Record<'Redis' | 'MongoDB', number>;
} {
  const read = () => ({ redis: cpuMicrosOf(pids.redis), mongodb: cpuMicrosOf(pids.mongodb) });
  const before = read();
  return {
    each(emissions) {
      const after = read();
      return {
        Redis: (after.redis - before.redis) / emissions,
        MongoDB: (after.mongodb - before.mongodb) / emissions,
      };
    },
  };
}
