import { openDashboards, type Audience } from '../harness/audience.ts';
import { loadWith } from '../harness/load.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import { cpuMicrosOf } from '../harness/server-cpu.ts';
import type { RunningSide } from '../harness/sides.ts';
import { openStage, type Stage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const COMPANIES = 20;
const CONNECTIONS = 50;
const SECONDS = 4;
const JOBS = 12_000;
/** The first jobs are left out: a process that has just started is not warm. */
const WARM_UP = 0.25;
const PATH = '/api/v1/internal/socket/appointment-created';

const CPU = 'CPU at full load, µs an event';
const ACCEPTED = 'accepted, events/s';
const EMITTED = 'emitted, events/s';

/** What each part of the path takes of a core for an event, and what one and two processes get through. */
export const capacity: Scenario = {
  title: `Capacity: what an event takes of each part; ${COMPANIES} companies, a dashboard each`,
  musts: [],
  async run(rounds) {
    const stage = await openStage({ companies: COMPANIES });
    const values = new Map<string, Map<string, number[]>>();
    const note = (figure: string, side: string, value: number): void => {
      const sides = values.get(figure) ?? new Map<string, number[]>();
      values.set(figure, sides.set(side, [...(sides.get(side) ?? []), value]));
    };
    try {
      const apis = await Promise.all([stage.start('sides/our-api.ts'), stage.start('sides/our-api.ts')]);
      const gateway = await stage.start('sides/our-api.ts');
      const audiences = await openOneEach(stage, gateway);
      await accept(stage, apis);
      for (let round = 0; round < rounds; round += 1) {
        const one = await accept(stage, apis.slice(0, 1));
        const both = await accept(stage, apis);
        const first = await emit(stage, 1, gateway);
        const second = await emit(stage, 2, gateway);
        note(CPU, 'API', one.micros.API);
        for (const part of ['worker', 'gateway'] as const) note(CPU, part, first.micros[part]);
        for (const part of ['Redis', 'MongoDB'] as const)
          note(CPU, part, one.micros[part] + first.micros[part]);
        note(ACCEPTED, '1 API', one.perSecond);
        note(ACCEPTED, '2 APIs', both.perSecond);
        note(EMITTED, '1 worker', first.perSecond);
        note(EMITTED, '2 workers', second.perSecond);
      }
      for (const audience of audiences) audience.close();
      const figures = [...values].map(([name, sides]) => ({
        name,
        sides: [...sides].map(([side, own]) => ({ name: side, values: own })),
      }));
      return { figures };
    } finally {
      await stage.close();
    }
  },
};

/** Each company has one dashboard. */
function openOneEach({ ids }: Stage, { url }: RunningSide): Promise<Audience[]> {
  const companyIds = [...new Set(ids.map(({ companyId }) => companyId))];
  return Promise.all(companyIds.map((companyId) => openDashboards({ url, count: 1, companyId })));
}

/** POSTs in a closed loop; nothing is emitted meanwhile. */
async function accept(stage: Stage, apis: readonly RunningSide[]) {
  const servers = serverCpu(stage);
  let next = 0;
  const loads = await Promise.all(
    apis.map((side) =>
      loadWith({
        side,
        path: PATH,
        connections: CONNECTIONS / apis.length,
        seconds: SECONDS,
        body: () => JSON.stringify({ appointmentId: stage.ids[next++ % stage.ids.length]!.appointmentId }),
      }),
    ),
  );
  const perSecond = loads.reduce((sum, load) => sum + load.perSecond, 0);
  const micros = { API: loads[0]!.cpuMicrosEach, ...servers.each(perSecond * SECONDS) };
  await stage.clear();
  return { perSecond, micros };
}

/** So many workers drain a full queue. */
async function emit(stage: Stage, workers: number, gateway: RunningSide) {
  await fillQueue(stage, JOBS);
  const sides = await Promise.all(Array.from({ length: workers }, () => stage.start('sides/our-worker.ts')));
  const from = await queueAtMost(stage, JOBS * (1 - WARM_UP));
  const measured = [sides[0]!, gateway];
  const cpu = () => Promise.all(measured.map((side) => side.ask('cpu')));
  const servers = serverCpu(stage);
  const before = await cpu();
  const to = await queueAtMost(stage, 0);
  const [worker, heard] = (await cpu()).map((micros, at) => (micros - before[at]!) / from.left);
  const micros = { worker: worker!, gateway: heard!, ...servers.each(from.left) };
  await Promise.all(sides.map(({ stop }) => stop()));
  await stage.clear();
  return { perSecond: (from.left / (to.at - from.at)) * 1_000, micros };
}

/** Begins to watch what Redis and MongoDB take. */
function serverCpu({ pids }: Stage): { each: (events: number) => Record<'Redis' | 'MongoDB', number> } {
  const read = () => ({ redis: cpuMicrosOf(pids.redis), mongodb: cpuMicrosOf(pids.mongodb) });
  const before = read();
  return {
    each(events) {
      const after = read();
      return {
        Redis: (after.redis - before.redis) / events,
        MongoDB: (after.mongodb - before.mongodb) / events,
      };
    },
  };
}
