import { openBareSockets, openDashboards } from '../harness/audience.ts';
import { createEmitter } from '../harness/emitter.ts';
import type { Must } from '../harness/figures.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const SOCKETS = 1_000;
const EVENTS = 60;
const WARM_UP_EVENTS = 40;
const CPU = 'CPU of the server, ms an event';

const MUSTS: Must[] = [
  {
    says: `fan-out of one event to ${SOCKETS} dashboards: server CPU`,
    ...{ figure: CPU, side: 'ours', against: 'bare ws', bound: 'at most', must: 1.9, aim: 1.4 },
  },
];

/** The whole process counts: for ours also what it hears from Redis, decodes and encodes, and what it does besides. */
export const fanOut: Scenario = {
  title: `One event to ${SOCKETS} dashboards`,
  musts: MUSTS,
  async run(rounds) {
    const stage = await openStage({ appointments: 200 });
    try {
      const emit = createEmitter(stage);
      const { companyId } = stage.ids[0]!;
      const [bare, naive, ours] = await Promise.all([
        stage.start('sides/bare-ws.ts'),
        stage.start('sides/plain-socket-io.ts'),
        stage.start('sides/our-api.ts'),
      ]);
      const dashboards = { count: SOCKETS, companyId };
      const audiences = {
        bare: await openBareSockets({ url: bare.url, count: SOCKETS }),
        naive: await openDashboards({ url: naive.url, ...dashboards }),
        ours: await openDashboards({ url: ours.url, ...dashboards }),
      };
      let next = 0;
      const emitOurs = (): void => {
        void emit(stage.ids[next++ % stage.ids.length]!);
      };
      // What the others send is what we sent: the same bytes.
      const first = audiences.ours.nextHeardByAll();
      emitOurs();
      await first;
      const event = audiences.ours.lastEvent();
      const sides = [
        {
          ...{ name: 'bare ws', side: bare, audience: audiences.bare },
          send: () => {
            bare.tell({ broadcast: `42${event}` });
          },
        },
        {
          ...{ name: 'naive', side: naive, audience: audiences.naive },
          send: () => {
            naive.tell({ broadcast: event });
          },
        },
        { name: 'ours', side: ours, audience: audiences.ours, send: emitOurs },
      ];
      const fire = async ({ audience, send }: (typeof sides)[number], events: number): Promise<void> => {
        for (let i = 0; i < events; i += 1) {
          const heard = audience.nextHeardByAll();
          send();
          await heard;
        }
      };
      for (const side of sides) await fire(side, WARM_UP_EVENTS);
      const measure = sides.map((one) => ({
        name: one.name,
        round: async () => {
          const { side } = one;
          const before = await side.ask('cpu');
          await fire(one, EVENTS);
          return { [CPU]: ((await side.ask('cpu')) - before) / 1_000 / EVENTS };
        },
      }));
      const figures = await sideBySide(measure, rounds);
      for (const audience of Object.values(audiences)) audience.close();
      return { figures, facts: { 'bytes of the event': Buffer.byteLength(event) } };
    } finally {
      await stage.close();
    }
  },
};
