import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/process/free-port.ts';
import { startRedis } from '../../scripts/services/redis.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { freshDir } from '../harness/own-services.ts';
import { until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { childEnv } from '../harness/child-env.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';

const ENTRY = { api: 'src/api/main.ts', worker: 'workers/main.ts' };
const MISSING = /REDIS_URL names a database that this server does not have/;

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

test.each(['api', 'worker'] as const)(
  'the %s exits with code 1 and a reason if the server does not have the database of REDIS_URL',
  async (role) => {
    const run = start(role, databaseUrl(process.env['TEST_REDIS_URL']!, 99));
    expect(await run.exited()).toBe(1);
    expect(run.output()).toMatch(MISSING);
  },
  90_000,
);

test('the API exits if a server without the database becomes available later, and writes nothing to that server', async () => {
  const port = await freePort();
  const run = start('api', `redis://127.0.0.1:${port}/99`);
  await until('the API to listen', run.printed('listening'), 60_000);
  let redis: ServiceHandle | undefined;
  try {
    redis = await startRedis({ dir: freshDir('redis'), port });
    expect(await run.exited()).toBe(1);
    expect(run.output()).toMatch(MISSING);
    const client = new Redis(redis.url);
    expect(await client.dbsize()).toBe(0);
    client.disconnect();
  } finally {
    await redis?.stop();
  }
}, 120_000);

function databaseUrl(url: string, database: number): string {
  const address = new URL(url);
  address.pathname = `/${database}`;
  return address.href;
}

function start(role: 'api' | 'worker', redisUrl: string) {
  const child = spawn(process.execPath, [...SOURCE_ARGS, ENTRY[role]], {
    env: childEnv({ ...world.env, REDIS_URL: redisUrl }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  world.keep(child, () => child.kill('SIGKILL'));
  let output = '';
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return {
    output: () => output,
    exited: () => until(`the ${role} to end`, ended, 60_000),
    printed: (words: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (output.includes(words)) resolve();
        };
        child.stdout.on('data', look);
        look();
      }),
  };
}
