import type { Threshold } from '../harness/figures.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const JOBS = { fast: 20_000, slow: 3_000 };
/** Share of the jobs that are not measured, because the worker's code is not compiled yet. */
const WARM_UP_SHARE = 0.2;
const RATE = 'jobs/s';
const CPU = 'CPU time of the process, µs per job';

const THRESHOLDS: Threshold[] = [
  {
    claim: 'worker, relative to a BullMQ worker that does nothing',
    ...{
      figure: RATE,
      contender: 'ours',
      baseline: 'BullMQ no-op',
      bound: 'at least',
      threshold: 0.16,
      target: 0.25,
    },
  },
  {
    claim: 'worker, relative to the naive worker',
    ...{ figure: RATE, contender: 'ours', baseline: 'naive', bound: 'at least', threshold: 6, target: 10 },
  },
];

/** One worker process drains a full queue at its default concurrency. */
export const worker: Scenario = {
  title: 'Worker: load, populate, publish; one process',
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment();
    const contenders = [
      { name: 'BullMQ no-op', file: 'contenders/noop-worker.ts', jobs: JOBS.fast },
      { name: 'naive', file: 'contenders/naive-worker.ts', jobs: JOBS.slow },
      { name: 'ours', file: 'contenders/our-worker.ts', jobs: JOBS.fast },
    ];
    try {
      const measure = contenders.map(({ name, file, jobs }) => ({
        name,
        round: async () => {
          await fillQueue(environment, jobs);
          const contender = await environment.start(file);
          const from = await queueAtMost(environment, jobs * (1 - WARM_UP_SHARE));
          const cpuBefore = await contender.measure('cpu');
          const to = await queueAtMost(environment, 0);
          const cpuMicros = (await contender.measure('cpu')) - cpuBefore;
          await contender.stop();
          await environment.clear();
          return { [RATE]: (from.left / (to.at - from.at)) * 1_000, [CPU]: cpuMicros / from.left };
        },
      }));
      return { figures: await compare(measure, rounds) };
    } finally {
      await environment.close();
    }
  },
};
