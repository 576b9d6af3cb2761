import { createProxy, type Proxy } from '../../test/resilience/proxy.ts';
import { freeze } from '../../test/harness/own-services.ts';
import { refuseAsSecondary } from './not-primary.ts';
import { MONGO_AWAY, type Scenario } from './scenario.ts';

const LATE_MS = 150;
const WHILE_AWAY =
  'Screens stay connected, and say that they are not live if it lasts. Jobs wait, without an attempt spent.';

export const MONGO_FAULTS: readonly Scenario[] = [
  {
    fault: 'MongoDB is killed, and started again',
    answers: [MONGO_AWAY],
    provokes: MONGO_AWAY,
    seen: WHILE_AWAY,
    async inflict({ arena: { mongo, shop } }) {
      shop.holdWrites(true);
      await mongo.kill();
      return async () => {
        await mongo.restart();
        shop.holdWrites(false);
      };
    },
  },
  {
    fault: 'MongoDB is frozen',
    answers: [MONGO_AWAY],
    provokes: MONGO_AWAY,
    seen: WHILE_AWAY,
    async inflict({ arena: { mongo, shop } }) {
      shop.holdWrites(true);
      await freeze(mongo);
      return async () => {
        await mongo.kill('SIGCONT');
        shop.holdWrites(false);
      };
    },
  },
  disturbed({
    fault: `MongoDB is slow: every reply ${LATE_MS} ms late`,
    seen: 'Screens hear later.',
    disturb: (proxy) => {
      proxy.delayReplies(LATE_MS);
    },
    mend: (proxy) => {
      proxy.delayReplies(0);
    },
  }),
  disturbed({
    fault: 'MongoDB is not primary',
    provokes: MONGO_AWAY,
    seen: WHILE_AWAY,
    disturb: (_, secondary) => {
      secondary.isSecondary = true;
    },
    mend: (_, secondary) => {
      secondary.isSecondary = false;
    },
  }),
];

interface Disturbance extends Pick<Scenario, 'fault' | 'seen' | 'provokes'> {
  disturb: (proxy: Proxy, secondary: { isSecondary: boolean }) => void;
  mend: (proxy: Proxy, secondary: { isSecondary: boolean }) => void;
}

/** By a proxy between our processes and MongoDB; the bots write past it. */
function disturbed({ disturb, mend, ...row }: Disturbance): Scenario {
  const secondary = { isSecondary: false };
  let proxy: Proxy | undefined;
  return {
    ...row,
    answers: [MONGO_AWAY],
    arena: () =>
      Promise.resolve({
        async ways({ redis, mongo }) {
          proxy = await createProxy(mongo, () => refuseAsSecondary(secondary));
          return { redis, mongo: proxy.url, close: proxy.close };
        },
      }),
    inflict() {
      disturb(proxy!, secondary);
      return Promise.resolve(() => {
        mend(proxy!, secondary);
      });
    },
  };
}
