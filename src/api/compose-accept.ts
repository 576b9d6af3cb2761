import { setTimeout as pause } from 'node:timers/promises';
import type { ApiConfig } from '../config.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { errorMessage } from '../errors.ts';
import { createAcceptEmissions } from '../accept/accept-emission.ts';
import { createIdempotency } from '../accept/idempotency.ts';
import { createYieldToLive } from '../accept/yield-to-live.ts';
import type { Lifecycle } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import type { FleetMetrics } from '../metrics/fleet-metrics.ts';
import { readQueuesDepth } from '../metrics/queue-depth.ts';
import { createFindCompanies } from '../population/find-companies.ts';
import type { Models } from '../population/models.ts';
import type { EmissionQueues } from '../queue/open-queues.ts';
import { createEnqueue } from '../queue/producer.ts';
import { createRecentEmissions } from '../queue/recent-emissions.ts';
import { PRIORITY } from '../queue/retry-policy.ts';
import { watchDepth } from '../queue/watch-depth.ts';
import type { SharedClock } from '../redis/shared-clock.ts';
import { createRecordAccepted } from '../accept/record-accepted.ts';

export interface ComposeAcceptDeps {
  config: ApiConfig;
  redis: RedisClient;
  queues: EmissionQueues;
  models: Models;
  metrics: FleetMetrics;
  reportDamage: ReportDamage;
  lifecycle: Lifecycle;
  clock: SharedClock;
  logger: Logger;
}

const DEPTH_CHECK_EVERY_MS = 1_000;
const LIVE_FIRST = { longestWaitMs: 10, expectedForMs: 60_000, restMs: 20 };

/** From a request of the bot, by HTTP or socket, to a job in the queue. */
export function composeAccept({
  config,
  redis,
  queues,
  models,
  metrics,
  reportDamage,
  lifecycle,
  clock,
  logger,
}: ComposeAcceptDeps) {
  const recent = createRecentEmissions({
    redis,
    prefix: config.QUEUE_PREFIX,
    now: clock.now,
    reportDamage,
    onForgotten: (error) => {
      logger.debug({ error: errorMessage(error) }, 'emission ids were not remembered by appointment');
    },
  });
  lifecycle.onClose('recent ids', recent.settled);
  const enqueue = createEnqueue({
    queues,
    redis,
    policy: { attempts: config.EMISSION_ATTEMPTS, firstRetryDelayMs: config.EMISSION_BACKOFF_MS },
    remember: recent.remember,
  });
  const depth = watchDepth({
    read: async () => {
      const { waiting, prioritized, delayed } = await readQueuesDepth(redis, queues);
      return waiting + prioritized + delayed;
    },
    most: config.QUEUE_MAX_WAITING,
    everyMs: DEPTH_CHECK_EVERY_MS,
  });
  lifecycle.onClose('queue depth', depth.close);

  const liveFirst = createYieldToLive({ ...LIVE_FIRST, pause });
  return {
    accept: createAcceptEmissions({
      findCompanies: createFindCompanies(models),
      enqueue,
      priority: PRIORITY,
      isFull: depth.isFull,
      liveFirst,
      now: clock.now,
      onAccepted: createRecordAccepted({ metrics, logger }),
    }),
    idempotently: createIdempotency({
      redis,
      prefix: config.QUEUE_PREFIX,
      ttlSeconds: config.IDEMPOTENCY_TTL_SECONDS,
      reportDamage,
    }),
    enqueue,
    /** Before each slice of what nobody waits for. */
    letLiveFirst: async () => {
      await liveFirst.rest();
      await liveFirst.pass();
    },
    recentIds: recent.read,
  };
}
