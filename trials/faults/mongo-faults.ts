import { createProxy, type Proxy } from '../../test/resilience/proxy.ts';
import { freeze } from '../../test/harness/own-services.ts';
import { refuseAsSecondary } from './not-primary.ts';
import { MONGO_UNAVAILABLE, type Scenario } from './scenario.ts';

const LATE_MS = 150;
const EFFECT = 'Jobs wait. Dashboards stay connected.';

export const MONGO_FAULTS: readonly Scenario[] = [
  {
    fault: 'MongoDB is killed and restarted',
    allowedOutcomes: [MONGO_UNAVAILABLE],
    requiredOutcome: MONGO_UNAVAILABLE,
    effect: EFFECT,
    async inject({ testbed: { mongo, workload } }) {
      workload.pauseWrites(true);
      await mongo.kill();
      return async () => {
        await mongo.restart();
        workload.pauseWrites(false);
      };
    },
  },
  {
    fault: 'MongoDB is frozen',
    allowedOutcomes: [MONGO_UNAVAILABLE],
    requiredOutcome: MONGO_UNAVAILABLE,
    effect: EFFECT,
    async inject({ testbed: { mongo, workload } }) {
      workload.pauseWrites(true);
      await freeze(mongo);
      return async () => {
        await mongo.kill('SIGCONT');
        workload.pauseWrites(false);
      };
    },
  },
  disturbed({
    fault: `MongoDB is slow: it delays every reply by ${LATE_MS} ms`,
    effect: 'Events are late.',
    disturb: (proxy) => {
      proxy.delayReplies(LATE_MS);
    },
    repair: (proxy) => {
      proxy.delayReplies(0);
    },
  }),
  disturbed({
    fault: 'MongoDB is not primary',
    requiredOutcome: MONGO_UNAVAILABLE,
    effect: EFFECT,
    disturb: (_, secondary) => {
      secondary.isSecondary = true;
    },
    repair: (_, secondary) => {
      secondary.isSecondary = false;
    },
  }),
];

interface Disturbance extends Pick<Scenario, 'fault' | 'effect' | 'requiredOutcome'> {
  disturb: (proxy: Proxy, secondary: { isSecondary: boolean }) => void;
  repair: (proxy: Proxy, secondary: { isSecondary: boolean }) => void;
}

/** Injects the fault in a proxy between our processes and MongoDB. The bots' writes bypass the proxy. */
function disturbed({ disturb, repair, ...row }: Disturbance): Scenario {
  const secondary = { isSecondary: false };
  let proxy: Proxy | undefined;
  return {
    ...row,
    allowedOutcomes: [MONGO_UNAVAILABLE],
    testbed: () =>
      Promise.resolve({
        async proxies({ redis, mongo }) {
          proxy = await createProxy(mongo, () => refuseAsSecondary(secondary));
          return { redis, mongo: proxy.url, close: proxy.close };
        },
      }),
    inject() {
      disturb(proxy!, secondary);
      return Promise.resolve(() => {
        repair(proxy!, secondary);
      });
    },
  };
}
