import { openBareSockets, openDashboards } from '../harness/audience.ts';
import { createEmitter } from '../harness/emitter.ts';
import type { Threshold } from '../harness/figures.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const SOCKETS = 1_000;
const EVENTS = 60;
const WARM_UP_EVENTS = 40;
const CPU = 'CPU time of the server, ms per event';

const THRESHOLDS: Threshold[] = [
  {
    claim: `server CPU time for one event to ${SOCKETS} dashboards, relative to bare ws`,
    ...{ figure: CPU, contender: 'ours', baseline: 'bare ws', bound: 'at most', threshold: 1.9, target: 1.4 },
  },
];

/** Measures the whole process. For ours, that includes the Redis subscription, decoding, encoding and background work. */
export const fanOut: Scenario = {
  title: `One event to ${SOCKETS} dashboards`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment({ appointments: 200 });
    try {
      const emit = createEmitter(environment);
      const { companyId } = environment.ids[0]!;
      const [bare, naive, ours] = await Promise.all([
        environment.start('contenders/bare-ws.ts'),
        environment.start('contenders/plain-socket-io.ts'),
        environment.start('contenders/our-api.ts'),
      ]);
      const dashboards = { count: SOCKETS, companyId };
      const audiences = {
        bare: await openBareSockets({ url: bare.url, count: SOCKETS }),
        naive: await openDashboards({ url: naive.url, ...dashboards }),
        ours: await openDashboards({ url: ours.url, ...dashboards }),
      };
      let next = 0;
      const emitOurs = (): void => {
        void emit(environment.ids[next++ % environment.ids.length]!);
      };
      // The other contenders send the bytes of our first event.
      const first = audiences.ours.nextReceivedByAll();
      emitOurs();
      await first;
      const event = audiences.ours.lastEvent();
      const contenders = [
        {
          ...{ name: 'bare ws', contender: bare, audience: audiences.bare },
          send: () => {
            bare.send({ broadcast: `42${event}` });
          },
        },
        {
          ...{ name: 'naive', contender: naive, audience: audiences.naive },
          send: () => {
            naive.send({ broadcast: event });
          },
        },
        { name: 'ours', contender: ours, audience: audiences.ours, send: emitOurs },
      ];
      const fire = async ({ audience, send }: (typeof contenders)[number], events: number): Promise<void> => {
        for (let i = 0; i < events; i += 1) {
          const received = audience.nextReceivedByAll();
          send();
          await received;
        }
      };
      for (const contender of contenders) await fire(contender, WARM_UP_EVENTS);
      const measure = contenders.map((entry) => ({
        name: entry.name,
        round: async () => {
          const { contender } = entry;
          const before = await contender.measure('cpu');
          await fire(entry, EVENTS);
          return { [CPU]: ((await contender.measure('cpu')) - before) / 1_000 / EVENTS };
        },
      }));
      const figures = await compare(measure, rounds);
      for (const audience of Object.values(audiences)) audience.close();
      return { figures, facts: { 'size of the event, B': Buffer.byteLength(event) } };
    } finally {
      await environment.close();
    }
  },
};
