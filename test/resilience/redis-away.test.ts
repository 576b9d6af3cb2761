import { afterEach, expect, test } from '@jest/globals';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { emitMany, outcomes } from './emissions.ts';

let world: World;
let services: ServiceHandle[] = [];
afterEach(async () => {
  await world.close();
  await Promise.all(services.map((service) => service.stop()));
  services = [];
});

async function redisOfItsOwn(env: Record<string, string> = { API_CONCURRENCY: '0' }): Promise<ServiceHandle> {
  const redis = await ownRedis();
  services.push(redis);
  // This process is busy: it sends the requests too.
  const limits = { MAX_DIRECT_UTILIZATION: 1 };
  world = await createWorld({ redisUrl: redis.url, limits, env: { RECONCILE_INTERVAL_MS: '0', ...env } });
  return redis;
}

test.each([['stopped', 'SIGTERM'] as const, ['killed', 'SIGKILL'] as const])(
  'emissions that wait or run while Redis is %s and restarted are all published, and spend no attempt',
  async (_, signal) => {
    const redis = await redisOfItsOwn();
    const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
    const emissionIds = await emitMany(world, api, company, 200);

    await world.workerProcess({ WORKER_CONCURRENCY: '4' });
    await eventually('some to be published', async () => (await world.jobs.count('completed')) >= 10);
    if (signal === 'SIGKILL') await redis.kill();
    await redis.restart();

    const seen = await outcomes(world, emissionIds);
    expect(seen.counts).toEqual({ completed: 200 });
    expect(seen.failures).toEqual([]);
  },
);

test('direct jobs that run while Redis is killed and restarted are published, by the API or a worker', async () => {
  // Workers would run the emissions of a company that comes near its limit.
  const redis = await redisOfItsOwn({ MAX_LIVE_PER_COMPANY_PER_SECOND: '100000' });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const ids: string[] = [];
  let isOver = false;
  async function emitUntilRefused(): Promise<void> {
    const appointmentId = await company.appointment();
    while (!isOver) {
      const response = await world.post(api, 'appointment-updated', { appointmentId });
      const { emissionId } = (await response.json()) as { emissionId?: string };
      if (emissionId !== undefined) ids.push(emissionId);
    }
  }
  const emitting = Array.from({ length: 4 }, emitUntilRefused);
  await eventually('some to be published', async () => (await world.jobs.count('completed')) >= 20);
  await redis.kill();
  await redis.restart();
  const accepted = ids.length;
  await eventually('emissions to be accepted again', () => ids.length > accepted);
  isOver = true;
  await Promise.all(emitting);
  world.worker();

  const seen = await outcomes(world, ids, 40_000);
  expect(seen.counts).toEqual({ completed: ids.length });
  expect(seen.failures).toEqual([]);
});

test('a Redis that is frozen for longer than the command timeout costs no emission and no attempt', async () => {
  const redis = await redisOfItsOwn();
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const emissionIds = await emitMany(world, api, company, 200);

  await world.workerProcess({ WORKER_CONCURRENCY: '4' });
  await eventually('some to be published', async () => (await world.jobs.count('completed')) >= 10);
  await redis.kill('SIGSTOP');
  // Commands time out after a second; the 503 shows that this has happened.
  await eventually('an emission to be refused', async () => {
    const { status } = await world.post(api, 'appointment-created', {
      appointmentId: await company.appointment(),
    });
    return status === 503;
  });
  await redis.kill('SIGCONT');

  const seen = await outcomes(world, emissionIds);
  expect(seen.counts).toEqual({ completed: 200 });
  expect(seen.failures).toEqual([]);
});

test('a worker that was started before Redis and MongoDB works when they are available', async () => {
  const [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  services.push(redis, mongo);
  world = await createWorld({
    redisUrl: redis.url,
    mongoUri: mongo.url,
    env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' },
  });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const emissionIds = await emitMany(world, api, company, 3);
  await Promise.all([redis.kill(), mongo.kill()]);

  await world.workerProcess();
  await Promise.all([redis.restart(), mongo.restart()]);

  expect((await outcomes(world, emissionIds)).counts).toEqual({ completed: 3 });
});

test.each([['frozen', 'SIGSTOP'] as const, ['gone', 'SIGKILL'] as const])(
  'SIGTERM while Redis is %s: the worker exits with 0 within 10 s',
  async (_, signal) => {
    const redis = await redisOfItsOwn();
    const worker = await world.workerProcess();
    await redis.kill(signal);
    worker.kill('SIGTERM');
    expect(await until('the worker to end', worker.exited, 10_000)).toBe(0);
    await (signal === 'SIGSTOP' ? redis.kill('SIGCONT') : redis.restart());
  },
);
