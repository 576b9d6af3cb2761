import { expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { useFleet } from './world.ts';

const fleets = useFleet();

test('counts of two processes add up, by event and overall', async () => {
  const fleet = fleets.start();
  const api = fleet.process();
  const worker = fleet.process();
  api.count('appointment:created', 'accepted', 3);
  api.count('appointment:canceled', 'accepted');
  worker.count('appointment:created', 'published', 2);
  worker.count('appointment:created', 'retried', 4);
  worker.count('appointment:canceled', 'failed');
  await Promise.all([api.flush(), worker.flush()]);

  const { events, overall } = await fleet.read();
  const created = { accepted: 3, published: 2, retried: 4, failed: 0, successRate: 1, failureRate: 0 };
  const canceled = { accepted: 1, published: 0, retried: 0, failed: 1, successRate: 0, failureRate: 1 };
  for (const span of ['1m', '5m', '1h', 'total'] as const) {
    expect(events['appointment:created'][span]).toEqual(created);
    expect(events['appointment:canceled'][span]).toEqual(canceled);
    expect(overall[span]).toMatchObject({ accepted: 4, published: 2, retried: 4, failed: 1 });
    expect(overall[span].successRate).toBeCloseTo(2 / 3);
    expect(overall[span].failureRate).toBeCloseTo(1 / 3);
  }
});

test('rates are null if no emission has ended', async () => {
  const fleet = fleets.start();
  const api = fleet.process();
  api.count('appointment:updated', 'accepted');
  await api.flush();
  const { overall, events, latencyMs } = await fleet.read();
  expect(overall.total).toMatchObject({ accepted: 1, successRate: null, failureRate: null });
  expect(events['appointment:created']['1h']).toMatchObject({ accepted: 0, successRate: null });
  expect(latencyMs.publish['5m']).toEqual({ count: 0, p50: null, p95: null, p99: null });
});

test('rejected requests are counted by reason', async () => {
  const fleet = fleets.start();
  const api = fleet.process();
  api.reject('UNAUTHORIZED', 2);
  api.reject('APPOINTMENT_NOT_FOUND');
  await api.flush();
  const { rejected } = await fleet.read();
  expect(rejected['1m']).toEqual({ UNAUTHORIZED: 2, APPOINTMENT_NOT_FOUND: 1 });
  expect(rejected.total).toEqual(rejected['1m']);
});

test('totals continue after a process was stopped or killed', async () => {
  const fleet = fleets.start();
  const stopped = fleet.process();
  stopped.count('appointment:created', 'published', 5);
  await stopped.close();
  const killed = fleet.process();
  killed.count('appointment:created', 'published', 7);
  await killed.flush();
  // Never flushed: a killed process loses these.
  killed.count('appointment:created', 'published', 1000);

  const next = fleet.process();
  next.count('appointment:created', 'published', 1);
  await next.flush();
  expect((await fleet.read()).overall.total.published).toBe(13);
});

test('counts are written to Redis within a second', async () => {
  const fleet = fleets.start();
  const worker = fleet.process();
  worker.count('appointment:created', 'published');
  await eventually('the count', async () => (await fleet.read()).overall['1m'].published === 1, 1_500);
});

test('a flush is one command for any number of counts, and none without counts', async () => {
  const fleet = fleets.start();
  const worker = fleet.process();
  worker.count('appointment:created', 'published');
  await worker.flush();
  const sent: unknown[] = [];
  const evalsha = fleet.redis.evalsha.bind(fleet.redis) as (...args: unknown[]) => Promise<unknown>;
  Object.assign(fleet.redis, {
    evalsha: (...args: unknown[]) => {
      sent.push(args);
      return evalsha(...args);
    },
  });
  for (let i = 0; i < 500; i++) {
    worker.count('appointment:updated', 'published');
    worker.observe('publish', i);
  }
  await worker.flush();
  await worker.flush();
  expect(sent).toHaveLength(1);
});

test('an interval above a second is refused, since a killed process would lose more than promised', () => {
  const fleet = fleets.start();
  expect(() => fleet.process({ flushIntervalMs: 5_000 })).toThrow(RangeError);
});
