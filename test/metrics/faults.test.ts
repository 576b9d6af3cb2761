import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createValve } from './valve.ts';
import { eventually } from '../harness/until.ts';
import { redisUrl, useFleet } from './world.ts';

const fleets = useFleet();

async function startBehindValve() {
  const fleet = fleets.start();
  const valve = await createValve(new URL(redisUrl()));
  fleet.closeAtEnd(valve.close);
  const redis = new Redis(valve.url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
    // Its timer lives that long where the connection was gone before.
    disconnectTimeout: 50,
    autoResendUnfulfilledCommands: false,
  });
  redis.on('error', () => undefined);
  fleet.closeAtEnd(() => {
    redis.disconnect();
    return Promise.resolve();
  });
  await eventually('the connection', () => Promise.resolve(redis.status === 'ready'));
  const published = async () => (await fleet.read()).overall.total.published;
  return { fleet, valve, redis, published };
}

test('counts made while Redis is unavailable are written when it is available', async () => {
  const { fleet, valve, redis, published } = await startBehindValve();
  const worker = fleet.process({ redis, flushIntervalMs: 20 });
  worker.count('appointment:created', 'published', 1);
  expect(await worker.flush()).toBe(true);

  valve.cut();
  await eventually('the loss to be noticed', () => Promise.resolve(redis.status !== 'ready'));
  worker.count('appointment:created', 'published', 2);
  expect(await worker.flush()).toBe(false);
  worker.count('appointment:created', 'published', 4);
  expect(await worker.flush()).toBe(false);
  expect(await published()).toBe(1);

  valve.mend();
  await eventually('all counts', async () => (await published()) === 7);
});

test('a flush that succeeded without a reply is not counted twice', async () => {
  const { fleet, valve, redis, published } = await startBehindValve();
  const worker = fleet.process({ redis, flushTimeoutMs: 100 });
  worker.count('appointment:created', 'published', 1);
  await worker.flush();

  valve.holdReplies();
  worker.count('appointment:created', 'published', 2);
  expect(await worker.flush()).toBe(false);
  expect(await published()).toBe(3);
  worker.count('appointment:created', 'published', 4);
  expect(await worker.flush()).toBe(false);

  valve.releaseReplies();
  expect(await worker.flush()).toBe(true);
  expect(await published()).toBe(7);
});

test('a connection that breaks between script and reply neither loses counts nor doubles them', async () => {
  const { fleet, valve, redis, published } = await startBehindValve();
  const worker = fleet.process({ redis });
  worker.count('appointment:created', 'published', 1);
  await worker.flush();

  valve.holdReplies();
  worker.count('appointment:created', 'published', 2);
  const flushed = worker.flush();
  await eventually('the script to run', async () => (await published()) === 3);
  valve.cut();
  expect(await flushed).toBe(false);
  valve.mend();
  await eventually('a flush to succeed', () => worker.flush());
  expect(await published()).toBe(3);
});

test('onError gets the first of consecutive failures, and Prometheus counts each', async () => {
  const { fleet, valve, redis } = await startBehindValve();
  const worker = fleet.process({ redis });
  valve.cut();
  await eventually('the loss to be noticed', () => Promise.resolve(redis.status !== 'ready'));
  worker.count('appointment:created', 'published');
  await worker.flush();
  await worker.flush();
  expect(fleet.errors).toHaveLength(1);
  expect(await worker.registry.metrics()).toContain('emission_metrics_flush_failures_total 2');

  valve.mend();
  await eventually('a flush to succeed', () => worker.flush());
  valve.cut();
  await eventually('the loss to be noticed', () => Promise.resolve(redis.status !== 'ready'));
  worker.count('appointment:created', 'published');
  await worker.flush();
  expect(fleet.errors).toHaveLength(2);
});

test('close ends in time when Redis is frozen', async () => {
  const { fleet, valve, redis } = await startBehindValve();
  const worker = fleet.process({ redis, flushTimeoutMs: 100 });
  valve.holdReplies();
  worker.count('appointment:created', 'published');
  worker.heartbeat({ role: 'worker', id: 'a' });
  const began = performance.now();
  await Promise.all([worker.close(), worker.close()]);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('scripts that Redis has lost are sent again', async () => {
  const fleet = fleets.start();
  const worker = fleet.process();
  worker.count('appointment:created', 'published');
  await worker.flush();
  await fleet.redis.script('FLUSH');
  worker.count('appointment:created', 'published');
  expect(await worker.flush()).toBe(true);
  expect((await fleet.read()).overall.total.published).toBe(2);
});
