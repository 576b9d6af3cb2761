import { setTimeout as pause } from 'node:timers/promises';
import { openBareSockets, openDashboards, type Audience } from '../harness/audience.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const SOCKETS = 2_000;
/** A process that has held sockets before needs less for the next; none of them is counted. */
const BEFORE = 200;
/** What is left of the handshakes goes away meanwhile. */
const SETTLE_MS = 1_000;
const MEMORY = 'resident memory, kB a socket';

/** How much a process grows by dashboards that hear nothing. */
export const memory: Scenario = {
  title: `Memory of ${SOCKETS} idle dashboards`,
  musts: [],
  async run(rounds) {
    const stage = await openStage({ appointments: 20 });
    const { companyId } = stage.ids[0]!;
    const sides = [
      {
        ...{ name: 'bare ws', file: 'sides/bare-ws.ts' },
        open: (url: string, count: number) => openBareSockets({ url, count }),
      },
      {
        ...{ name: 'plain Socket.IO', file: 'sides/plain-socket-io.ts' },
        open: (url: string, count: number) => openDashboards({ url, count, companyId }),
      },
      {
        ...{ name: 'ours', file: 'sides/our-api.ts' },
        open: (url: string, count: number) => openDashboards({ url, count, companyId }),
      },
    ];
    try {
      const measure = sides.map(({ name, file, open }) => ({
        name,
        round: async () => {
          const side = await stage.start(file);
          const audiences: Audience[] = [await open(side.url, BEFORE)];
          await pause(SETTLE_MS);
          const before = await side.ask('memory');
          audiences.push(await open(side.url, SOCKETS));
          await pause(SETTLE_MS);
          const grown = (await side.ask('memory')) - before;
          for (const audience of audiences) audience.close();
          await side.stop();
          return { [MEMORY]: grown / SOCKETS / 1_000 };
        },
      }));
      return { figures: await sideBySide(measure, rounds) };
    } finally {
      await stage.close();
    }
  },
};
