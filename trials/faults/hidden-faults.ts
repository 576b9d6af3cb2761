import type { Testbed } from '../chaos/testbed.ts';
import { freeze } from '../../test/harness/own-services.ts';
import { eventually } from '../../test/harness/until.ts';
import { MONGO_UNAVAILABLE, REDIS_UNAVAILABLE, type Scenario, warningsOf } from './scenario.ts';

/** The library is stale after 25 s without a position or a heartbeat. */
const SCREENS_SHOW_IT_WITHIN_MS = 40_000;

/** Faults that stay invisible unless the product reports them. */
export const HIDDEN_FAULTS: readonly Scenario[] = [
  {
    fault: 'Both queues are paused',
    allowedOutcomes: [],
    effect: 'No events. `/health`, `/admin`, metrics and logs report it.',
    async inject({ testbed }) {
      const { queue, bulk } = testbed.world;
      await Promise.all([queue.pause(), bulk.pause()]);
      await eventually('/health to say so', async () =>
        (await warningsOf(testbed)).includes('queue is paused'),
      );
      return async () => {
        await Promise.all([queue.resume(), bulk.resume()]);
      };
    },
  },
  {
    fault: 'MongoDB is frozen until dashboards report it',
    allowedOutcomes: [MONGO_UNAVAILABLE],
    requiredOutcome: MONGO_UNAVAILABLE,
    effect: 'Dashboards report it within 10 s.',
    async inject({ testbed }) {
      const { mongo, workload } = testbed;
      workload.pauseWrites(true);
      await freeze(mongo);
      await screensShowIt(testbed);
      return async () => {
        await mongo.kill('SIGCONT');
        workload.pauseWrites(false);
      };
    },
  },
  {
    fault: 'Redis is frozen until dashboards report it',
    allowedOutcomes: [REDIS_UNAVAILABLE],
    requiredOutcome: REDIS_UNAVAILABLE,
    effect: 'Dashboards report it within 25 s.',
    async inject({ testbed }) {
      await freeze(testbed.redis);
      await screensShowIt(testbed);
      return () => testbed.redis.kill('SIGCONT');
    },
  },
];

const screensShowIt = ({ screens }: Testbed): Promise<unknown> =>
  eventually(
    'no screen to be live',
    () => screens.states().every((state) => state !== 'live'),
    SCREENS_SHOW_IT_WITHIN_MS,
  );
