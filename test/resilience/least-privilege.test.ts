import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/process/free-port.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { createConnection } from 'mongoose';
import { errorMessage } from '../../src/errors.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import { createModels } from '../../src/population/models.ts';
import { startMongoTap } from '../harness/mongo-tap.ts';
import { startRedisTap } from '../harness/redis-tap.ts';
import { ownRedisWithUsers, readDenials, type RedisUser, rulesOf } from '../harness/redis-users.ts';
import { createWorld, type World } from '../harness/world.ts';
import { useWholeService } from './whole-service.ts';

let redis: ServiceHandle;
let urls: Record<RedisUser, string>;
let world: World;
let mongo: Awaited<ReturnType<typeof startMongoTap>>;
let tap: Awaited<ReturnType<typeof startRedisTap>>;
beforeAll(async () => {
  ({ redis, urls } = await ownRedisWithUsers());
  tap = await startRedisTap(urls.operator);
  world = await createWorld({
    redisUrl: urls.operator,
    env: {
      QUEUE_PREFIX: '{emissions}',
      SOCKET_ADAPTER_KEY: 'socket.io:0:{emissions}',
      ADMIN_WRITES: 'on',
      EMISSION_ATTEMPTS: '2',
      CANARY_INTERVAL_MS: '200',
      RECONCILE_INTERVAL_MS: '500',
    },
    // The API runs direct jobs on a busy machine too.
    limits: { MAX_DIRECT_UTILIZATION: 1 },
  });
  mongo = await startMongoTap(world.env['MONGODB_URI']!);
  const own = { MONGODB_URI: mongo.uri };
  const ports = [String(await freePort()), String(await freePort())] as const;
  const [api, worker, owner, stranger] = await Promise.all([
    world.ready(world.apiProcess({ ...own, REDIS_URL: urls.api, METRICS_PORT: ports[0] })),
    world.workerProcess({ ...own, REDIS_URL: urls.worker, METRICS_PORT: ports[1] }),
    world.documents.company(),
    world.documents.company(),
  ]);
  await useWholeService({
    world,
    api,
    metricsUrls: ports.map((port) => `http://127.0.0.1:${port}`),
    owner,
    stranger,
    notes: 'first visit',
    misplaced: ['a name'],
  });
  // Includes the commands of the shutdown.
  for (const process of [api, worker]) {
    process.kill('SIGTERM');
    await process.exited;
  }
}, 300_000);
afterAll(async () => {
  await world.close();
  await mongo.close();
  tap.close();
  await redis.stop();
});

test('all features work with the users of ops/redis/users.acl, and Redis denies no command', async () => {
  expect(await readDenials(world.redis)).toEqual([]);
});

/** Not shown by MONITOR: Bull Board's list of workers, and the PING of a subscription. */
const UNSEEN = new Set(['+client|list', '+ping']);

test.each(['api', 'worker'] as const)(
  '%s has no permission for a command that it does not run',
  async (user) => {
    const { ran, named } = await tap.of(user);
    const granted = rulesOf(user).flatMap((rule) =>
      rule.startsWith('+') && !UNSEEN.has(rule) ? rule.slice(1) : [],
    );
    expect(granted.length).toBeGreaterThan(20);
    expect(granted.filter((command) => !ran.has(command) && !named.has(command))).toEqual([]);
  },
);

/** Commands that only an operator needs, and commands of one process that the other must not run. */
const DENIED: Record<'api' | 'worker', string[][]> = {
  api: [
    ['PUBLISH', 'socket.io:0:{other}#/#company:1#', 'x'],
    ['BZPOPMIN', '{emissions}:appointment-emissions:marker', '1'],
    ['GET', '{emissions}:sweep:watermark'],
  ],
  worker: [
    ['SUBSCRIBE', 'socket.io:0:{emissions}#/#company:1#'],
    ['PSUBSCRIBE', 'socket.io:0:{emissions}#/#*'],
    ['PUBLISH', 'socket.io:0:{emissions}-request#/#', 'x'],
    ['PUBLISH', 'socket.io:0:{emissions}#/internal#x#', 'x'],
    ['GET', '{emissions}:idempotency:x'],
    ['GET', '{emissions}:rate:key:x'],
    ['CLIENT', 'LIST'],
  ],
};
const OPERATORS = [
  ['KEYS', '*'],
  ['SCAN', '0'],
  ['RANDOMKEY'],
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['CONFIG', 'GET', '*'],
  ['CONFIG', 'SET', 'slowlog-log-slower-than', '0'],
  ['SLOWLOG', 'GET'],
  ['MONITOR'],
  ['ACL', 'LIST'],
  ['ACL', 'SETUSER', 'api', '+@all'],
  ['SCRIPT', 'FLUSH'],
  ['FUNCTION', 'LIST'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['REPLICAOF', 'NO', 'ONE'],
  ['SHUTDOWN'],
  ['BGREWRITEAOF'],
  ['DUMP', '{emissions}:appointment-emissions:meta'],
  ['GET', 'another-application'],
  ['PSUBSCRIBE', '*'],
  ['SUBSCRIBE', '__keyspace@0__:x'],
  ['EVAL', "return redis.call('GET', 'another-application')", '0'],
  ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'another-application'],
  ['EVAL', "return redis.call('PUBLISH', 'another', 'x')", '0'],
  ['EVAL', "return redis.call('FLUSHALL')", '0'],
];

test.each(['api', 'worker'] as const)(
  '%s is denied commands, keys and channels that it does not need',
  async (user) => {
    const client = new Redis(urls[user], { replyMapping: 'legacy' });
    try {
      for (const [command = '', ...args] of [...OPERATORS, ...DENIED[user]]) {
        const answer = await client.call(command, ...args).catch(errorMessage);
        expect([command, ...args, answer]).toEqual([
          command,
          ...args,
          expect.stringMatching(
            /NOPERM|can't run this command|[Nn]o permissions|can't access at least one|can't publish to the channel/,
          ),
        ]);
      }
    } finally {
      client.disconnect();
    }
  },
);

test('an unauthenticated client is denied everything', async () => {
  const anonymous = new Redis(redis.url, {
    replyMapping: 'legacy',
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  anonymous.on('error', () => undefined);
  await expect(anonymous.call('PING')).rejects.toThrow(/NOAUTH/);
  anonymous.disconnect();
});

test('API and worker only read MongoDB', () => {
  expect([...mongo.commands].sort()).toEqual([
    'aggregate',
    'endSessions',
    'find',
    'hello',
    'ismaster',
    'listIndexes',
    'ping',
  ]);
});

test('only npm run db:indexes writes to MongoDB', async () => {
  const connection = await createConnection(mongo.uri).asPromise();
  await createIndexes(createModels(connection, DEFAULT_MODEL));
  await connection.close();
  expect([...mongo.commands]).toContain('createIndexes');
});
