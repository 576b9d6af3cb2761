import { randomUUID } from 'node:crypto';
import { UnrecoverableError, Worker } from 'bullmq';
import { QUEUE_NAME } from '@appointment-emissions/contracts';
import { createEnqueue } from '../../src/queue/producer.ts';
import { createRecentEmissions } from '../../src/queue/recent-emissions.ts';
import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { quantile, type Must } from '../harness/figures.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { openStage, type Stage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const WAITING = 500_000;
const FAILED = 100_000;
/** Short, and many: within one turn the machine is the same for both sides. */
const ADDS = 250;
const ADD_TURNS = 16;
const JOBS = 15_000;
const WARM_UP = 0.2;
const ADD = 'add p50, ms';
const DRAIN = 'drained jobs/s';

const MUSTS: Must[] = [
  {
    says: 'add p50 with that backlog',
    ...{ figure: ADD, side: 'backlog', against: 'empty', bound: 'at most', must: 1.2 },
  },
  {
    says: 'drain with that backlog',
    ...{ figure: DRAIN, side: 'backlog', against: 'empty', bound: 'at least', must: 0.85 },
  },
];

/** Growth: the same work on an empty Redis and on one that holds a day's backlog and all failures that are kept. */
export const backlog: Scenario = {
  title: `${WAITING.toLocaleString('en')} waiting jobs and ${FAILED.toLocaleString('en')} kept failures`,
  musts: MUSTS,
  async run(rounds) {
    const [empty, full] = await Promise.all([openStage(), openStage()]);
    try {
      const unused = await usedMemory(full);
      await failMany(full, FAILED);
      const withFailures = await usedMemory(full);
      await fillQueue(full, WAITING);
      const withBacklog = await usedMemory(full);
      const sides = [
        { name: 'empty', stage: empty, kept: 0 },
        { name: 'backlog', stage: full, kept: WAITING },
      ];
      const adds = sides.map(({ name, stage }) => ({
        name,
        round: async () => ({ [ADD]: await addOneByOne(stage) }),
      }));
      const drains = sides.map(({ name, stage, kept }) => ({
        name,
        round: async () => {
          const { wait = 0 } = await stage.queue.getJobCounts('wait');
          await fillQueue(stage, JOBS + kept - wait);
          const side = await stage.start('sides/our-worker.ts');
          const from = await queueAtMost(stage, kept + JOBS * (1 - WARM_UP));
          const to = await queueAtMost(stage, kept);
          await side.stop();
          return { [DRAIN]: ((from.left - to.left) / (to.at - from.at)) * 1_000 };
        },
      }));
      return {
        figures: [...(await sideBySide(adds, rounds, ADD_TURNS)), ...(await sideBySide(drains, rounds))],
        facts: {
          'memory of a waiting job in Redis, B': (withBacklog - withFailures) / WAITING,
          'memory of a kept failure in Redis, B': (withFailures - unused) / FAILED,
        },
      };
    } finally {
      await Promise.all([empty.close(), full.close()]);
    }
  },
};

async function usedMemory({ redis }: Stage): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

/** Failures as they stand in Redis for good: one attempt, with its error and stack. */
async function failMany(stage: Stage, count: number): Promise<void> {
  await fillQueue(stage, count);
  const redis = stage.redis.duplicate();
  const worker = new Worker(
    QUEUE_NAME,
    () => Promise.reject(new UnrecoverableError('APPOINTMENT_NOT_FOUND: it does not exist')),
    { connection: redis, prefix: stage.env['QUEUE_PREFIX']!, concurrency: 500 },
  );
  await queueAtMost(stage, 0);
  await worker.close();
  redis.disconnect();
}

/** As the API adds them, one after the other. Resolves to the median in ms. */
async function addOneByOne({ queues, redis, ids, env }: Stage): Promise<number> {
  const { remember } = createRecentEmissions({
    redis,
    prefix: env['QUEUE_PREFIX']!,
    onForgotten: (error) => {
      throw error;
    },
  });
  const policy = { attempts: 8, firstRetryDelayMs: 500 };
  const enqueue = createEnqueue({ queues, redis, policy, remember });
  const took: number[] = [];
  for (let i = 0; i < ADDS; i += 1) {
    const emission = {
      event: 'appointment:created' as const,
      ...ids[i % ids.length]!,
      emissionId: randomUUID(),
      acceptedAt: new Date().toISOString(),
    };
    const startedAt = performance.now();
    await enqueue([emission], PRIORITY.live);
    took.push(performance.now() - startedAt);
  }
  return quantile(took, 0.5);
}
