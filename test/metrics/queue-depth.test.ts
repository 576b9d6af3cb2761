import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Queue, Worker } from 'bullmq';
import { readQueueDepth, readQueuesDepth } from '../../src/metrics/queue-depth.ts';
import { readQueueStates } from '../../src/metrics/queue-state.ts';
import { eventually } from '../harness/until.ts';
import { redisUrl, useFleet } from './world.ts';

const fleets = useFleet();
const { hostname: host, port } = new URL(redisUrl());
const connection = { host, port: Number(port) };

function startQueue() {
  const { redis, closeAtEnd } = fleets.start();
  const prefix = `{test-${randomUUID()}}`;
  const open = (name: string) => {
    const queue = new Queue(name, { connection, prefix });
    closeAtEnd(async () => {
      await queue.obliterate({ force: true });
      await queue.close();
    });
    return queue;
  };
  const queue = open('depth');
  return { redis, open, queue, prefix, closeAtEnd, depth: () => readQueueDepth(redis, queue) };
}

function expectAge(found: number | null, atLeastMs: number) {
  expect(found).toBeGreaterThanOrEqual(atLeastMs - 100);
  expect(found).toBeLessThan(atLeastMs + 10_000);
}

test('an empty queue has no depth and no oldest job', async () => {
  const { depth } = startQueue();
  const nothing = { waiting: 0, prioritized: 0, delayed: 0, active: 0, failed: 0 };
  expect(await depth()).toEqual({ ...nothing, oldestWaitingAgeMs: null });
});

test('jobs are counted by state, as BullMQ counts them', async () => {
  const { queue, prefix, closeAtEnd, depth } = startQueue();
  const worker = new Worker(
    'depth',
    (job) => (job.name === 'fails' ? Promise.reject(new Error('on purpose')) : new Promise(() => undefined)),
    { connection, prefix, concurrency: 2 },
  );
  closeAtEnd(() => worker.close(true));
  await queue.add('fails', {});
  await eventually('the failure', async () => (await depth()).failed === 1);
  await queue.addBulk(Array.from({ length: 5 }, () => ({ name: 'hangs', data: {} })));
  await queue.add('low', {}, { priority: 10 });
  await queue.add('later', {}, { delay: 60_000 });
  await eventually('two active jobs', async () => (await depth()).active === 2);
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'failed');
  expect(await depth()).toMatchObject(counts);
  expect(counts).toEqual({ waiting: 3, prioritized: 1, delayed: 1, active: 2, failed: 1 });
});

test.each([
  ['waiting', {}],
  ['of high priority', { priority: 1 }],
  ['of low priority, behind younger ones that go first', { priority: 2_000_000 }],
  ['delayed and overdue', { delay: 1 }],
])('the oldest job is found: %s', async (_, options) => {
  const { queue, depth } = startQueue();
  await queue.add('old', {}, { ...options, timestamp: Date.now() - 120_000 });
  await queue.add('young', {}, { timestamp: Date.now() - 5_000 });
  await queue.add('young', {}, { priority: 1, timestamp: Date.now() - 5_000 });
  await queue.add('younger', {}, { priority: 1 });
  expectAge((await depth()).oldestWaitingAgeMs, 120_000);
});

test('a job that is due later does not wait', async () => {
  const { queue, depth } = startQueue();
  await queue.add('later', {}, { delay: 3_600_000, timestamp: Date.now() - 1_000 });
  expect((await depth()).oldestWaitingAgeMs).toBeNull();
});

test('jobs of a paused queue still wait', async () => {
  const { queue, depth } = startQueue();
  await queue.pause();
  await queue.add('held', {}, { timestamp: Date.now() - 60_000 });
  const { waiting, oldestWaitingAgeMs } = await depth();
  expect(waiting).toBe(1);
  expectAge(oldestWaitingAgeMs, 60_000);
});

test('the jobs of both queues are summed, and each queue has its oldest job', async () => {
  const { redis, open, queue: live } = startQueue();
  const bulk = open('bulk');
  await live.add('booked', {}, { timestamp: Date.now() - 5_000 });
  await bulk.add('in a batch', {}, { priority: 10, timestamp: Date.now() - 60_000 });
  await bulk.add('in a batch', {}, { priority: 10, delay: 60_000 });
  const depth = await readQueuesDepth(redis, [{ live, bulk }]);
  expect(depth).toMatchObject({ waiting: 1, prioritized: 1, delayed: 1, active: 0, failed: 0 });
  expectAge(depth.oldestLiveWaitingAgeMs, 5_000);
  expectAge(depth.oldestBulkWaitingAgeMs, 60_000);
  expectAge(depth.oldestWaitingAgeMs, 60_000);
  await bulk.drain(true);
  expect(await readQueuesDepth(redis, [{ live, bulk }])).toMatchObject({ oldestBulkWaitingAgeMs: null });
  expectAge((await readQueuesDepth(redis, [{ live, bulk }])).oldestWaitingAgeMs, 5_000);
});

test('a shard that does not answer does not hide the states of the others', async () => {
  const { queue } = startQueue();
  await queue.pause();
  const silent = { getMeta: () => new Promise<never>(() => undefined) };
  const states = await readQueueStates([
    { live: silent, bulk: queue },
    { live: queue, bulk: queue },
  ]);
  expect(states.map(({ shard, states: { live } }) => [shard, live.paused])).toEqual([[1, true]]);
});
