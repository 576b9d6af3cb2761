import { afterEach, expect, test } from '@jest/globals';
import { setQueuesPaused } from '../../src/cli/set-queues-paused.ts';
import { readStatus } from '../../src/cli/read-status.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import { ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { runCli } from './run-cli.ts';

let world: World;
afterEach(() => world.close());

test('status counts processes and jobs, and its exit code is 0 while all is well', async () => {
  world = await createWorld();
  await createIndexes(world.models);
  await world.ready(world.api());
  world.worker();
  const status = await eventually('both processes to be counted', async () => {
    const found = await readStatus(world.env);
    return found.text.includes('1 API, 1 worker, 0 dashboards') ? found : undefined;
  });
  expect(status.text).toMatch(/^live queue {2}0 waiting, 0 active, 0 delayed, 0 failed$/m);
  const { code, out } = await runCli(world.env, 'status');
  // The servers of all tests may have warnings of their own.
  expect([code, out.split('\n')[0]]).toEqual(code === 0 ? [0, 'all is well'] : [3, 'works, with warnings']);
});

test('a paused queue is a warning, and jobs run again after it is resumed', async () => {
  world = await createWorld();
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const config = loadWorkerConfig(world.env);
  expect(await setQueuesPaused(config, ['live'], true)).toEqual(['The live queue is paused: its jobs wait.']);
  world.worker();
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());

  const { code, out } = await runCli(world.env, 'status');
  expect(code).toBe(3);
  expect(out).toMatch(/^live queue {2}PAUSED, 1 waiting, the oldest for \d+ s, 0 active/m);
  expect(out).toMatch(/^bulk queue {2}0 waiting/m);
  expect(out).toContain('! the live queue is paused');

  expect(await runCli(world.env, 'queue', 'resume')).toEqual({
    code: 0,
    out: 'The live queue is resumed.\nThe bulk queue is resumed.\n',
    err: '',
  });
  await world.jobIn(emissionId, 'completed');
});

test('without Redis the exit code is 1, with the reason', async () => {
  const redis = await ownRedis();
  world = await createWorld({ redisUrl: redis.url });
  await redis.stop();
  const { code, out } = await runCli(world.env, 'status');
  expect(code).toBe(1);
  expect(out).toMatch(/^down: emissions cannot be accepted\nMongoDB {5}ok\nRedis {7}.*start Redis/);
  expect(await runCli(world.env, 'queue', 'pause', '--live')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^the server of REDIS_URL does not respond: .*start Redis/),
  });
});
