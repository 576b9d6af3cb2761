import type { Must } from '../harness/figures.ts';
import { loadWith, nextBody, warmUp } from '../harness/load.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const SIZE = 100;
const CONNECTIONS = { bare: 50, batch: 10 };
/** Short, and three a round: a second later the machine may be another. */
const SECONDS = 3;
const TURNS = 3;
const RATE = 'emissions/s (bare Express: requests/s)';
const CPU = 'CPU of the process, µs each';

const MUSTS: Must[] = [
  {
    says: `batch of ${SIZE}: emissions for each request that the bare handler serves`,
    ...{ figure: RATE, side: 'ours', against: 'bare Express', bound: 'at least', must: 2, aim: 4 },
  },
];

/** Emissions by the batch route, against the requests of a handler that does nothing, and beside BullMQ's `addBulk` alone. */
export const batch: Scenario = {
  title: `POST of ${SIZE} emissions → jobs`,
  musts: MUSTS,
  async run(rounds) {
    const stage = await openStage();
    try {
      const [bare, bulk, ours] = await Promise.all([
        stage.start('sides/bare-express.ts'),
        stage.start('sides/bare-bulk.ts'),
        stage.start('sides/our-api.ts'),
      ]);
      let next = 0;
      const nextId = (): string => stage.ids[next++ % stage.ids.length]!.appointmentId;
      const many = (): string =>
        JSON.stringify({
          emissions: Array.from({ length: SIZE }, () => ({
            event: 'appointment:created',
            appointmentId: nextId(),
          })),
        });
      const sides = [
        {
          ...{ name: 'bare Express', side: bare, path: '/emit', body: nextBody(stage), size: 1 },
          connections: CONNECTIONS.bare,
        },
        {
          ...{ name: 'addBulk alone', side: bulk, path: '/batch', body: many, size: SIZE },
          connections: CONNECTIONS.batch,
        },
        {
          ...{ name: 'ours', side: ours, path: '/api/v1/internal/socket/batch', body: many, size: SIZE },
          connections: CONNECTIONS.batch,
        },
      ];
      for (const load of sides) await warmUp(load);
      await stage.clear();
      const measure = sides.map(({ name, size, ...load }) => ({
        name,
        round: async () => {
          const { perSecond, cpuMicrosEach } = await loadWith({ ...load, seconds: SECONDS });
          await stage.clear();
          return { [RATE]: perSecond * size, [CPU]: cpuMicrosEach / size };
        },
      }));
      return { figures: await sideBySide(measure, rounds, TURNS) };
    } finally {
      await stage.close();
    }
  },
};
