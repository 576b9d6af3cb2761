import { randomUUID } from 'node:crypto';
import type { Threshold } from '../harness/figures.ts';
import { loadWith, nextBody, warmUp } from '../harness/load.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const CONNECTIONS = 50;
const SECONDS = 4;
export const SINGLE = '/api/v1/internal/socket/appointment-created';
const RATE = 'requests/s';
const CPU = 'CPU time of the process, µs per request';

const THRESHOLDS: Threshold[] = [
  {
    claim: 'POST with all checks, relative to bare Express',
    ...{
      figure: RATE,
      contender: 'ours',
      baseline: 'bare Express',
      bound: 'at least',
      threshold: 0.35,
      target: 0.5,
    },
  },
];

/** One emission per request, from the POST to the job in the queue. */
export const post: Scenario = {
  title: `POST → job, at ${CONNECTIONS} connections`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment();
    try {
      const [bare, onOurServer, naive, ours] = await Promise.all([
        environment.start('contenders/bare-express.ts'),
        environment.start('contenders/express-on-our-server.ts'),
        environment.start('contenders/naive-api.ts'),
        environment.start('contenders/our-api.ts'),
      ]);
      const contenders = [
        { name: 'bare Express', contender: bare, path: '/emit' },
        { name: 'bare Express on our server', contender: onOurServer, path: '/emit' },
        { name: 'naive', contender: naive, path: '/emit' },
        { name: 'ours', contender: ours, path: SINGLE },
        {
          ...{ name: 'ours, with Idempotency-Key', contender: ours, path: SINGLE },
          headers: () => ({ 'idempotency-key': randomUUID() }),
        },
      ];
      const body = nextBody(environment);
      const loads = contenders.map((contender) => ({ ...contender, body, connections: CONNECTIONS }));
      for (const load of loads) await warmUp(load);
      await environment.clear();
      const measure = loads.map(({ name, ...load }) => ({
        name,
        round: async () => {
          const { perSecond, cpuMicrosEach } = await loadWith({ ...load, seconds: SECONDS });
          await environment.clear();
          return { [RATE]: perSecond, [CPU]: cpuMicrosEach };
        },
      }));
      return { figures: await compare(measure, rounds) };
    } finally {
      await environment.close();
    }
  },
};
