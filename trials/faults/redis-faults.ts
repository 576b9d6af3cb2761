import { freeze } from '../../test/harness/own-services.ts';
import { eventually } from '../../test/harness/until.ts';
import { createProxy } from '../../test/resilience/proxy.ts';
import { REDIS_AWAY, restartAll, type Scenario } from './scenario.ts';

const LATE_MS = 200;
const KILL_EVERY_MS = 100;
const WHILE_AWAY = 'Screens stay connected and keep what they show; after it they load their list again.';

export const REDIS_FAULTS: readonly Scenario[] = [
  {
    fault: 'Redis is down when all processes start',
    answers: [REDIS_AWAY],
    provokes: REDIS_AWAY,
    seen: 'The processes start and wait. Screens connect, and are placed when it comes.',
    async inflict({ arena }) {
      await arena.redis.stop();
      await restartAll(arena);
      return () => arena.redis.restart();
    },
  },
  {
    fault: 'Redis is stopped, and started again',
    answers: [REDIS_AWAY],
    provokes: REDIS_AWAY,
    seen: WHILE_AWAY,
    async inflict({ arena: { redis } }) {
      await redis.stop();
      return () => redis.restart();
    },
  },
  {
    fault: 'Redis is killed, and started again',
    answers: [REDIS_AWAY],
    provokes: REDIS_AWAY,
    seen: WHILE_AWAY,
    async inflict({ arena: { redis } }) {
      await redis.kill();
      return () => redis.restart();
    },
  },
  {
    fault: 'Redis is frozen',
    answers: [REDIS_AWAY],
    provokes: REDIS_AWAY,
    seen: 'Screens stay connected and keep what they show.',
    async inflict({ arena: { redis } }) {
      await freeze(redis);
      return () => redis.kill('SIGCONT');
    },
  },
  slowRedis(),
  {
    fault: 'Redis is out of memory, with `noeviction`',
    answers: [REDIS_AWAY],
    provokes: REDIS_AWAY,
    seen: 'Screens keep what they show. Raise `maxmemory`.',
    async inflict({ arena: { world } }) {
      await world.redis.config('SET', 'maxmemory', '1');
      return async () => {
        await world.redis.config('SET', 'maxmemory', '0');
      };
    },
  },
  {
    fault: 'Redis has a `maxmemory-policy` that evicts',
    answers: [],
    seen: '`/readyz` says no; `/health`: “set it to noeviction, or jobs can be lost”.',
    async inflict({ arena: { world, fleet } }) {
      const ask = async (path: string) => {
        const response = await fetch(`${fleet.gateways[0]!.board!.url}${path}`);
        return `${response.status} ${await response.text()}`;
      };
      await world.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await eventually('not to be ready', async () => (await ask('/readyz')).startsWith('503'));
      await eventually('to be told why', async () =>
        (await ask('/health')).includes('maxmemory-policy is allkeys-lru: set it to noeviction'),
      );
      return async () => {
        await world.redis.config('SET', 'maxmemory-policy', 'noeviction');
        await eventually('to be ready again', async () => (await ask('/readyz')).startsWith('200'));
      };
    },
  },
  {
    fault: 'Connections to Redis are killed, ten times a second',
    // What had set out with its key is not done yet when it is sent again.
    answers: [REDIS_AWAY],
    seen: 'Screens hear late, or are replayed what they missed.',
    inflict({ arena: { world } }) {
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
    fault: `Redis is slow: every reply ${LATE_MS} ms late`,
    answers: [REDIS_AWAY],
    seen: 'Screens hear later.',
    arena: () =>
      Promise.resolve({
        async ways({ redis, mongo }) {
          proxy = await createProxy(redis);
          return { redis: proxy.url, mongo, close: proxy.close };
        },
      }),
    inflict() {
      proxy?.delayReplies(LATE_MS);
      return Promise.resolve(() => proxy?.delayReplies(0));
    },
  };
}
