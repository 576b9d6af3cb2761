import { randomUUID } from 'node:crypto';
import { UnrecoverableError, Worker } from 'bullmq';
import { QUEUE_NAME } from '@appointment-emissions/contracts';
import { createEnqueue } from '../../src/queue/producer.ts';
import { createRecentEmissions } from '../../src/queue/recent-emissions.ts';
import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { quantile, type Threshold } from '../harness/figures.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import { compare } from '../harness/compare.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const WAITING = 500_000;
const FAILED = 100_000;
/** Short turns, and many of them, so that the machine's speed is the same for both contenders within a turn. */
const ADDS = 250;
const ADD_TURNS = 16;
const JOBS = 15_000;
const WARM_UP = 0.2;
const ADD = 'add p50, ms';
const DRAIN = 'drained jobs/s';

const THRESHOLDS: Threshold[] = [
  {
    claim: 'add p50 with the backlog, relative to an empty Redis',
    ...{ figure: ADD, contender: 'backlog', baseline: 'empty', bound: 'at most', threshold: 1.2 },
  },
  {
    claim: 'drain rate with the backlog, relative to an empty Redis',
    ...{ figure: DRAIN, contender: 'backlog', baseline: 'empty', bound: 'at least', threshold: 0.85 },
  },
];

/** The same work on an empty Redis and on one with a day's backlog and the largest number of retained failed jobs. */
export const backlog: Scenario = {
  title: `${WAITING.toLocaleString('en')} waiting jobs and ${FAILED.toLocaleString('en')} retained failed jobs`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const [empty, full] = await Promise.all([openEnvironment(), openEnvironment()]);
    try {
      const unused = await usedMemory(full);
      await failMany(full, FAILED);
      const withFailures = await usedMemory(full);
      await fillQueue(full, WAITING);
      const withBacklog = await usedMemory(full);
      const contenders = [
        { name: 'empty', environment: empty, kept: 0 },
        { name: 'backlog', environment: full, kept: WAITING },
      ];
      const adds = contenders.map(({ name, environment }) => ({
        name,
        round: async () => ({ [ADD]: await addOneByOne(environment) }),
      }));
      const drains = contenders.map(({ name, environment, kept }) => ({
        name,
        round: async () => {
          const { wait = 0 } = await environment.queue.getJobCounts('wait');
          await fillQueue(environment, JOBS + kept - wait);
          const contender = await environment.start('contenders/our-worker.ts');
          const from = await queueAtMost(environment, kept + JOBS * (1 - WARM_UP));
          const to = await queueAtMost(environment, kept);
          await contender.stop();
          return { [DRAIN]: ((from.left - to.left) / (to.at - from.at)) * 1_000 };
        },
      }));
      return {
        figures: [...(await compare(adds, rounds, ADD_TURNS)), ...(await compare(drains, rounds))],
        facts: {
          'memory of a waiting job in Redis, B': (withBacklog - withFailures) / WAITING,
          'memory of a failed job in Redis, B': (withFailures - unused) / FAILED,
        },
      };
    } finally {
      await Promise.all([empty.close(), full.close()]);
    }
  },
};

async function usedMemory({ redis }: BenchEnvironment): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

/** Adds failed jobs as Redis retains them: one attempt, with its error and stack. */
async function failMany(environment: BenchEnvironment, count: number): Promise<void> {
  await fillQueue(environment, count);
  const redis = environment.redis.duplicate();
  const worker = new Worker(
    QUEUE_NAME,
    () => Promise.reject(new UnrecoverableError('APPOINTMENT_NOT_FOUND: it does not exist')),
    { connection: redis, prefix: environment.env['QUEUE_PREFIX']!, concurrency: 500 },
  );
  await queueAtMost(environment, 0);
  await worker.close();
  redis.disconnect();
}

/** Adds emissions one by one, as the API does. Resolves to the median duration in ms. */
async function addOneByOne({ queues, redis, ids, env }: BenchEnvironment): Promise<number> {
  const { remember } = createRecentEmissions({
    reportDamage: () => undefined,
    redis,
    prefix: env['QUEUE_PREFIX']!,
    onForgotten: (error) => {
      throw error;
    },
  });
  const policy = { attempts: 8, firstRetryDelayMs: 500 };
  const shard = { index: 0, prefix: env['QUEUE_PREFIX']!, ...queues };
  const enqueue = createEnqueue({ shardOf: () => shard, redis, policy, remember });
  const durationsMs: number[] = [];
  for (let i = 0; i < ADDS; i += 1) {
    const emission = {
      event: 'appointment:created' as const,
      ...ids[i % ids.length]!,
      emissionId: randomUUID(),
      acceptedAt: new Date().toISOString(),
    };
    const startedAt = performance.now();
    await enqueue([emission], PRIORITY.live);
    durationsMs.push(performance.now() - startedAt);
  }
  return quantile(durationsMs, 0.5);
}
