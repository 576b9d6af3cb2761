import { freeze } from '../../test/harness/own-services.ts';
import { eventually } from '../../test/harness/until.ts';
import { createProxy } from '../../test/resilience/proxy.ts';
import { REDIS_UNAVAILABLE, restartAll, type Scenario } from './scenario.ts';

const LATE_MS = 200;
const KILL_EVERY_MS = 100;
const EFFECT = 'Dashboards reload afterwards.';

export const REDIS_FAULTS: readonly Scenario[] = [
  {
    fault: 'Redis is down when all processes start',
    allowedOutcomes: [REDIS_UNAVAILABLE],
    requiredOutcome: REDIS_UNAVAILABLE,
    effect: 'Processes wait for it.',
    async inject({ testbed }) {
      await testbed.redis.stop();
      await restartAll(testbed);
      return () => testbed.redis.restart();
    },
  },
  {
    fault: 'Redis is stopped and restarted',
    allowedOutcomes: [REDIS_UNAVAILABLE],
    requiredOutcome: REDIS_UNAVAILABLE,
    effect: EFFECT,
    async inject({ testbed: { redis } }) {
      await redis.stop();
      return () => redis.restart();
    },
  },
  {
    fault: 'Redis is killed and restarted',
    allowedOutcomes: [REDIS_UNAVAILABLE],
    requiredOutcome: REDIS_UNAVAILABLE,
    effect: EFFECT,
    async inject({ testbed: { redis } }) {
      await redis.kill();
      return () => redis.restart();
    },
  },
  {
    fault: 'Redis is frozen',
    allowedOutcomes: [REDIS_UNAVAILABLE],
    requiredOutcome: REDIS_UNAVAILABLE,
    effect: 'Dashboards stay connected.',
    async inject({ testbed: { redis } }) {
      await freeze(redis);
      return () => redis.kill('SIGCONT');
    },
  },
  slowRedis(),
  {
    fault: 'Redis is out of memory (`noeviction`)',
    allowedOutcomes: [REDIS_UNAVAILABLE],
    requiredOutcome: REDIS_UNAVAILABLE,
    effect: 'Dashboards stay connected.',
    async inject({ testbed: { world } }) {
      await world.redis.config('SET', 'maxmemory', '1');
      return async () => {
        await world.redis.config('SET', 'maxmemory', '0');
      };
    },
  },
  {
    fault: 'Redis has a `maxmemory-policy` that evicts',
    allowedOutcomes: [],
    effect: '`/readyz` returns 503. `/health` warns.',
    async inject({ testbed: { world, fleet } }) {
      const get = async (path: string) => {
        const response = await fetch(`${fleet.gateways[0]!.balancer!.url}${path}`);
        return `${response.status} ${await response.text()}`;
      };
      await world.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await eventually('/readyz to return 503', async () => (await get('/readyz')).startsWith('503'));
      await eventually('the warning in /health', async () =>
        (await get('/health')).includes('maxmemory-policy is allkeys-lru: set it to noeviction'),
      );
      return async () => {
        await world.redis.config('SET', 'maxmemory-policy', 'noeviction');
        await eventually('/readyz to return 200', async () => (await get('/readyz')).startsWith('200'));
      };
    },
  },
  {
    fault: 'All connections to Redis are killed ten times a second',
    // A repeated call can also find its first attempt still in progress (409).
    allowedOutcomes: [REDIS_UNAVAILABLE],
    effect: 'Events are late or replayed.',
    inject({ testbed: { world } }) {
      const kill = async (): Promise<void> => {
        for (const type of ['normal', 'pubsub'])
          await world.redis.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      };
      const timer = setInterval(() => void kill().catch(() => undefined), KILL_EVERY_MS);
      return Promise.resolve(() => {
        clearInterval(timer);
      });
    },
  },
];

function slowRedis(): Scenario {
  let proxy: Awaited<ReturnType<typeof createProxy>> | undefined;
  return {
    fault: `Redis is slow: it delays every reply by ${LATE_MS} ms`,
    allowedOutcomes: [REDIS_UNAVAILABLE],
    effect: 'Events are late.',
    testbed: () =>
      Promise.resolve({
        async proxies({ redis, mongo }) {
          proxy = await createProxy(redis);
          return { redis: proxy.url, mongo, close: proxy.close };
        },
      }),
    inject() {
      proxy?.delayReplies(LATE_MS);
      return Promise.resolve(() => proxy?.delayReplies(0));
    },
  };
}
