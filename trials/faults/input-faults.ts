import { companyRoom, DASHBOARD_NAMESPACE } from '@appointment-emissions/contracts';
import { damagedMessages } from '../../test/realtime/damaged-messages.ts';
import { shiftedBy } from '../../test/harness/shifted-clock.ts';
import { eventually } from '../../test/harness/until.ts';
import { type Scenario, warningsOf } from './scenario.ts';

const HOUR_MS = 3_600_000;
/** Rounds of damaged messages, so that they arrive between live ones. */
const ROUNDS = 20;

/** Wrong input from Redis and from clocks. */
export const INPUT_FAULTS: readonly Scenario[] = [
  {
    fault: 'Another program publishes on the gateways’ channels',
    allowedOutcomes: [],
    effect: 'Gateways drop and count the messages.',
    async inject({ testbed: { world, workload } }) {
      const key = world.env['SOCKET_ADAPTER_KEY']!;
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const companyId of workload.companyIds) {
          const room = companyRoom(companyId);
          for (const [, message] of damagedMessages(DASHBOARD_NAMESPACE, room)) {
            await world.redis.publish(`${key}#${DASHBOARD_NAMESPACE}#${room}#`, message);
            await world.redis.publish(`${key}#${DASHBOARD_NAMESPACE}#`, message);
          }
        }
        await world.redis.publish(`${key}-request#${DASHBOARD_NAMESPACE}#`, '{"type":5,"requestId":"x"}');
      }
      return () => undefined;
    },
  },
  {
    fault: 'The clocks of all our processes are an hour ahead',
    allowedOutcomes: [],
    effect: '`/health` and the log report it.',
    testbed: () => Promise.resolve({ env: shiftedBy(HOUR_MS) }),
    async inject({ testbed }) {
      await eventually('/health to report it', async () => (await warningsOf(testbed)).includes('clock'));
      return () => undefined;
    },
  },
];
