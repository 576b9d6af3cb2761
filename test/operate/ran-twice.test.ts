import { afterEach, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { connectRedis } from '../../src/redis/connect.ts';
import type { EmitAppointment } from '../../src/emission/emit-appointment.ts';
import { createFleetMetrics } from '../../src/metrics/fleet-metrics.ts';
import { createQuarantine } from '../../src/queue/quarantine.ts';
import { createEmissionWorker } from '../../workers/emission-worker.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { quietWorld } from './admin.ts';

let world: World;
afterEach(() => world.close());

test('a job that runs twice, since its lock was lost, is counted once', async () => {
  world = await quietWorld();
  const prefix = world.env['QUEUE_PREFIX']!;
  const redis = connectRedis(world.env['REDIS_URL']!, 'queue', () => undefined);
  world.keep(redis, () => {
    redis.disconnect();
  });
  const metrics = createFleetMetrics({
    redis,
    shards: () => world.shards,
    prefix,
    reportDamage: () => undefined,
    onError: () => undefined,
  });
  world.keep(metrics, metrics.close);
  let runs = 0;
  let secondRuns: () => void = () => undefined;
  const secondRun = new Promise<void>((resolve) => {
    secondRuns = resolve;
  });
  const emitAppointment: EmitAppointment = async ({ emissionId }) => {
    runs += 1;
    if (runs === 1) {
      // What BullMQ does with the job of a worker that it takes for dead.
      await redis.del(`${world.queue.toKey(emissionId)}:lock`);
      await redis.lrem(world.queue.toKey('active'), 1, emissionId);
      await redis.rpush(world.queue.toKey('wait'), emissionId);
      await redis.zadd(world.queue.toKey('marker'), 0, '0');
      await secondRun;
    } else secondRuns();
    const now = new Date().toISOString();
    return {
      event: 'appointment:updated',
      epoch: 'e',
      offset: runs,
      gateways: 1,
      populatedAt: now,
      publishedAt: now,
    };
  };
  const worker = createEmissionWorker({
    queueName: world.queue.name,
    redis,
    prefix,
    concurrency: 2,
    firstRetryDelayMs: 10,
    emitAppointment,
    quarantine: createQuarantine({
      queue: world.queue,
      redis,
      reportDamage: () => undefined,
      onFailed: () => undefined,
    }),
    answerCanary: () => Promise.resolve(),
    onProgress: () => undefined,
    onPublished: () => undefined,
    pause,
    isUnavailable: () => false,
    metrics,
    onError: () => undefined,
    flow: pino({ level: 'silent' }),
  });
  world.keep(worker, () => worker.close(true));
  void worker.run();

  const api = await world.api();
  const id = await world.emit(
    api,
    'appointment-created',
    await (await world.documents.company()).appointment(),
  );
  await world.jobIn(id, 'completed');
  await eventually('both runs to have ended', () => runs === 2);
  await worker.close();
  await metrics.flush();
  expect((await metrics.read()).overall.total).toMatchObject({
    published: 1,
    retried: 0,
    failed: 0,
  });
});
