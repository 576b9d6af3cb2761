import { setTimeout as pause } from 'node:timers/promises';
import { openBareSockets, openDashboards, type Audience } from '../harness/audience.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const SOCKETS = 2_000;
/** Sockets opened before the measurement and not counted: the first sockets cost a process more than later ones. */
const WARM_UP_SOCKETS = 200;
/** Time for the garbage of the handshakes to become collectable. */
const SETTLE_MS = 1_000;
const MEMORY = 'resident memory, kB per socket';

/** The memory that idle dashboards add to a process. */
export const memory: Scenario = {
  title: `Memory of ${SOCKETS} idle dashboards`,
  thresholds: [],
  async run(rounds) {
    const environment = await openEnvironment({ appointments: 20 });
    const { companyId } = environment.ids[0]!;
    const contenders = [
      {
        ...{ name: 'bare ws', file: 'contenders/bare-ws.ts' },
        open: (url: string, count: number) => openBareSockets({ url, count }),
      },
      {
        ...{ name: 'plain Socket.IO', file: 'contenders/plain-socket-io.ts' },
        open: (url: string, count: number) => openDashboards({ url, count, companyId }),
      },
      {
        ...{ name: 'ours', file: 'contenders/our-api.ts' },
        open: (url: string, count: number) => openDashboards({ url, count, companyId }),
      },
    ];
    try {
      const measure = contenders.map(({ name, file, open }) => ({
        name,
        round: async () => {
          const contender = await environment.start(file);
          const audiences: Audience[] = [await open(contender.url, WARM_UP_SOCKETS)];
          await pause(SETTLE_MS);
          const before = await contender.measure('memory');
          audiences.push(await open(contender.url, SOCKETS));
          await pause(SETTLE_MS);
          const growth = (await contender.measure('memory')) - before;
          for (const audience of audiences) audience.close();
          await contender.stop();
          return { [MEMORY]: growth / SOCKETS / 1_000 };
        },
      }));
      return { figures: await compare(measure, rounds) };
    } finally {
      await environment.close();
    }
  },
};
