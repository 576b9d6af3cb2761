import type { Must } from '../harness/figures.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const JOBS = { fast: 20_000, slow: 3_000 };
/** The first jobs are left out: a process that has just started is not warm. */
const WARM_UP = 0.2;
const RATE = 'jobs/s';
const CPU = 'CPU of the process, µs a job';

const MUSTS: Must[] = [
  {
    says: 'worker, everything, against a worker that does nothing',
    ...{ figure: RATE, side: 'ours', against: 'BullMQ no-op', bound: 'at least', must: 0.16, aim: 0.25 },
  },
  {
    says: 'worker, everything, against the naive one',
    ...{ figure: RATE, side: 'ours', against: 'naive', bound: 'at least', must: 6, aim: 10 },
  },
];

/** One worker process drains a full queue at its default concurrency. */
export const worker: Scenario = {
  title: 'Worker: load, populate, publish; one process',
  musts: MUSTS,
  async run(rounds) {
    const stage = await openStage();
    const sides = [
      { name: 'BullMQ no-op', file: 'sides/noop-worker.ts', jobs: JOBS.fast },
      { name: 'naive', file: 'sides/naive-worker.ts', jobs: JOBS.slow },
      { name: 'ours', file: 'sides/our-worker.ts', jobs: JOBS.fast },
    ];
    try {
      const measure = sides.map(({ name, file, jobs }) => ({
        name,
        round: async () => {
          await fillQueue(stage, jobs);
          const side = await stage.start(file);
          const from = await queueAtMost(stage, jobs * (1 - WARM_UP));
          const cpuBefore = await side.ask('cpu');
          const to = await queueAtMost(stage, 0);
          const cpuMicros = (await side.ask('cpu')) - cpuBefore;
          await side.stop();
          await stage.clear();
          return { [RATE]: (from.left / (to.at - from.at)) * 1_000, [CPU]: cpuMicros / from.left };
        },
      }));
      return { figures: await sideBySide(measure, rounds) };
    } finally {
      await stage.close();
    }
  },
};
