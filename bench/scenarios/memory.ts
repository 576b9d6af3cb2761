import { setTimeout as pause } from 'node:timers/promises';
import { openBareSockets, openDashboards, type Audience } from '../harness/audience.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment } from '../harness/environment.ts';
import { hasCentrifugo, startCentrifugo } from '../peers/centrifugo.ts';
import { openCentrifugoDashboards } from '../peers/centrifugo-dashboards.ts';
import { hasSockudo, startSockudo } from '../peers/sockudo.ts';
import { openSockudoDashboards } from '../peers/sockudo-dashboards.ts';
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
        ...{ name: 'bare ws', start: () => environment.start('contenders/bare-ws.ts') },
        open: openBareSockets,
      },
      {
        ...{ name: 'plain Socket.IO', start: () => environment.start('contenders/plain-socket-io.ts') },
        open: openDashboards,
      },
      ...(hasCentrifugo()
        ? [
            {
              ...{ name: 'Centrifugo', start: () => startCentrifugo(environment) },
              open: openCentrifugoDashboards,
            },
          ]
        : []),
      ...(hasSockudo()
        ? [{ ...{ name: 'Sockudo', start: () => startSockudo(environment) }, open: openSockudoDashboards }]
        : []),
      {
        ...{ name: 'ours', start: () => environment.start('contenders/our-api.ts') },
        open: openDashboards,
      },
    ];
    try {
      const measure = contenders.map(({ name, start, open }) => ({
        name,
        round: async () => {
          const contender = await start();
          const openMore = (count: number) => open({ url: contender.url, count, companyId });
          const audiences: Audience[] = [await openMore(WARM_UP_SOCKETS)];
          await pause(SETTLE_MS);
          const before = await contender.measure('memory');
          audiences.push(await openMore(SOCKETS));
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
