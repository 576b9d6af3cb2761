import { randomUUID } from 'node:crypto';
import type { Must } from '../harness/figures.ts';
import { loadWith, nextBody, warmUp } from '../harness/load.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const CONNECTIONS = 50;
const SECONDS = 4;
export const SINGLE = '/api/v1/internal/socket/appointment-created';
const RATE = 'requests/s';
const CPU = 'CPU of the process, µs a request';

const MUSTS: Must[] = [
  {
    says: 'POST, everything checked',
    ...{ figure: RATE, side: 'ours', against: 'bare Express', bound: 'at least', must: 0.35, aim: 0.5 },
  },
];

/** One emission a request, up to the job in the queue. */
export const post: Scenario = {
  title: `POST → job, at ${CONNECTIONS} connections`,
  musts: MUSTS,
  async run(rounds) {
    const stage = await openStage();
    try {
      const [bare, born, naive, ours] = await Promise.all([
        stage.start('sides/bare-express.ts'),
        stage.start('sides/born-express.ts'),
        stage.start('sides/naive-api.ts'),
        stage.start('sides/our-api.ts'),
      ]);
      const sides = [
        { name: 'bare Express', side: bare, path: '/emit' },
        { name: 'bare Express on our server', side: born, path: '/emit' },
        { name: 'naive', side: naive, path: '/emit' },
        { name: 'ours', side: ours, path: SINGLE },
        {
          ...{ name: 'ours, with Idempotency-Key', side: ours, path: SINGLE },
          headers: () => ({ 'idempotency-key': randomUUID() }),
        },
      ];
      const body = nextBody(stage);
      const loads = sides.map((side) => ({ ...side, body, connections: CONNECTIONS }));
      for (const load of loads) await warmUp(load);
      await stage.clear();
      const measure = loads.map(({ name, ...load }) => ({
        name,
        round: async () => {
          const { perSecond, cpuMicrosEach } = await loadWith({ ...load, seconds: SECONDS });
          await stage.clear();
          return { [RATE]: perSecond, [CPU]: cpuMicrosEach };
        },
      }));
      return { figures: await sideBySide(measure, rounds) };
    } finally {
      await stage.close();
    }
  },
};
