import type { Threshold } from '../harness/figures.ts';
import { loadWith, nextBody, warmUp } from '../harness/load.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const SIZE = 100;
const CONNECTIONS = { bare: 50, batch: 10 };
/** Short turns, three in each round, because the machine's speed varies from second to second. */
const SECONDS = 3;
const TURNS = 3;
const RATE = 'emissions/s (bare Express: requests/s)';
const CPU = 'CPU time of the process, µs per emission (bare Express: per request)';

const THRESHOLDS: Threshold[] = [
  {
    claim: `batch of ${SIZE}: emissions accepted per request of the bare handler`,
    ...{
      figure: RATE,
      contender: 'ours',
      baseline: 'bare Express',
      bound: 'at least',
      threshold: 2,
      target: 4,
    },
  },
];

/** The batch route, compared with a handler that does nothing and with a route that only calls BullMQ's `addBulk`. */
export const batch: Scenario = {
  title: `POST of a batch of ${SIZE} emissions → jobs`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment();
    try {
      const [bare, bulk, ours] = await Promise.all([
        environment.start('contenders/bare-express.ts'),
        environment.start('contenders/bare-bulk.ts'),
        environment.start('contenders/our-api.ts'),
      ]);
      let next = 0;
      const nextId = (): string => environment.ids[next++ % environment.ids.length]!.appointmentId;
      const nextBatch = (): string =>
        JSON.stringify({
          emissions: Array.from({ length: SIZE }, () => ({
            event: 'appointment:created',
            appointmentId: nextId(),
          })),
        });
      const contenders = [
        {
          ...{ name: 'bare Express', contender: bare, path: '/emit', body: nextBody(environment), size: 1 },
          connections: CONNECTIONS.bare,
        },
        {
          ...{ name: 'addBulk only', contender: bulk, path: '/batch', body: nextBatch, size: SIZE },
          connections: CONNECTIONS.batch,
        },
        {
          ...{
            name: 'ours',
            contender: ours,
            path: '/api/v1/internal/socket/batch',
            body: nextBatch,
            size: SIZE,
          },
          connections: CONNECTIONS.batch,
        },
      ];
      for (const load of contenders) await warmUp(load);
      await environment.clear();
      const measure = contenders.map(({ name, size, ...load }) => ({
        name,
        round: async () => {
          const { perSecond, cpuMicrosEach } = await loadWith({ ...load, seconds: SECONDS });
          await environment.clear();
          return { [RATE]: perSecond * size, [CPU]: cpuMicrosEach / size };
        },
      }));
      return { figures: await compare(measure, rounds, TURNS) };
    } finally {
      await environment.close();
    }
  },
};
