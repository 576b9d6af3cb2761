import type { WorkerConfig } from '../src/config.ts';
import type { RedisClient } from '../src/redis/connect.ts';
import { createReadLastPublished } from '../src/emission/last-published.ts';
import { messageOf } from '../src/errors.ts';
import type { Logger } from '../src/process/logger.ts';
import { readQueuesDepth } from '../src/metrics/queue-depth.ts';
import { createFindUpdated } from '../src/population/find-updated.ts';
import type { Models } from '../src/population/models.ts';
import type { EmissionQueues } from '../src/queue/open-queues.ts';
import { createEnqueue } from '../src/queue/producer.ts';
import { createRecentEmissions } from '../src/queue/recent-emissions.ts';
import { PRIORITY } from '../src/queue/retry-policy.ts';
import { startSweep } from '../src/sweep/start-sweep.ts';
import { createHoldSweep } from '../src/sweep/sweep-state.ts';
import { createSweep } from '../src/sweep/sweep.ts';
import { slicesOf } from '../src/batching.ts';

export interface SweepMissedWritesDeps {
  config: WorkerConfig;
  redis: RedisClient;
  queues: EmissionQueues;
  models: Models;
  /** Of this process. */
  ownerId: string;
  flow: Logger;
}

/** A sweep that takes longer has died; another worker may begin. */
const SHORTEST_LOCK_MS = 15_000;
/** Live bookings come in between. */
const ENQUEUED_AT_ONCE = 25;

/** The sweep of this worker: every worker has the timer, whoever gets the lock does the work. */
export function sweepMissedWrites({ config, redis, queues, models, ownerId, flow }: SweepMissedWritesDeps) {
  const { RECONCILE_INTERVAL_MS: intervalMs, QUEUE_PREFIX: prefix } = config;
  const recent = createRecentEmissions({
    redis,
    prefix,
    onForgotten: (error) => {
      flow.debug({ error: messageOf(error) }, 'emission ids were not remembered by appointment');
    },
  });
  const enqueue = createEnqueue({
    queues,
    redis,
    policy: { attempts: config.EMISSION_ATTEMPTS, firstRetryDelayMs: config.EMISSION_BACKOFF_MS },
    remember: recent.remember,
  });
  const sweep = startSweep({
    sweep: createSweep({
      hold: createHoldSweep({ redis, prefix, ownerId, lockMs: Math.max(3 * intervalMs, SHORTEST_LOCK_MS) }),
      findUpdated: createFindUpdated(models),
      lastPublished: createReadLastPublished(redis),
      enqueue: async (emissions) => {
        for (const slice of slicesOf(emissions, ENQUEUED_AT_ONCE)) await enqueue(slice, PRIORITY.sweep);
      },
      backlog: async () => {
        const { waiting, prioritized } = await readQueuesDepth(redis, queues);
        return waiting + prioritized;
      },
      now: Date.now,
    }),
    intervalMs,
    onReport: (report) => {
      if (report.emitted > 0) flow.info(report, 'the sweep found writes that were not announced');
    },
    onFault: (error) => {
      flow.warn({ error: messageOf(error) }, 'the sweep failed; it will try again');
    },
  });
  return {
    close: async () => {
      await sweep.close();
      await recent.settled();
    },
  };
}
