import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { connectServers, type Servers } from '../../src/cli/connect-servers.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { connectRedis, type RedisClient, whenReady } from '../../src/redis/connect.ts';
import { freeze, ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { runCli } from './run-cli.ts';

let redis: ServiceHandle;
let world: World | undefined;
let request: RedisClient | undefined;
let servers: Servers | undefined;
afterEach(async () => {
  request?.disconnect();
  await servers?.close();
  await world?.close();
  [request, servers, world] = [undefined, undefined, undefined];
  await redis.stop();
});

test('a command of an operator waits longer for a frozen Redis than a request', async () => {
  redis = await ownRedis();
  world = await createWorld();
  request = connectRedis(redis.url, 'request');
  servers = connectServers(loadWorkerConfig({ ...world.env, REDIS_URL: redis.url }));
  await Promise.all([whenReady(request), servers.redisReady()]);
  await freeze(redis);
  const reply = servers.redis.ping();
  await expect(request.ping()).rejects.toThrow('Command timed out');
  await redis.kill('SIGCONT');
  await expect(reply).resolves.toBe('PONG');
});

test('a command that Redis rejects says when to run it again', async () => {
  redis = await ownRedis();
  world = await createWorld();
  const admin = new Redis(redis.url, { replyMapping: 'legacy' });
  try {
    await admin.replicaof('127.0.0.1', 1);
    await eventually('the server to be a replica', async () =>
      (await admin.info('replication')).includes('role:slave'),
    );
    const { code, err } = await runCli({ ...world.env, REDIS_URL: redis.url }, 'queue', 'pause');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /^emissions queue failed: READONLY .*: run it again when the server is available\n$/,
      ),
    ]);
  } finally {
    admin.disconnect();
  }
});
