import type { WorkerConfig } from '../src/config.ts';
import type { RedisClient } from '../src/redis/connect.ts';
import type { ReportDamage } from '../src/process/damaged-data.ts';
import { createCompanyKeys } from '../src/emission/keys.ts';
import { createReadLastPublished } from '../src/emission/last-published.ts';
import { errorMessage } from '../src/errors.ts';
import type { Logger } from '../src/process/logger.ts';
import type { FleetMetrics } from '../src/metrics/fleet-metrics.ts';
import { readQueuesDepth } from '../src/metrics/queue-depth.ts';
import { createFindUnsweepable } from '../src/population/find-unsweepable.ts';
import { createFindUpdated } from '../src/population/find-updated.ts';
import type { Models } from '../src/population/models.ts';
import type { EmissionQueues } from '../src/queue/open-queues.ts';
import { createEnqueue } from '../src/queue/producer.ts';
import { createRecentEmissions } from '../src/queue/recent-emissions.ts';
import { PRIORITY } from '../src/queue/retry-policy.ts';
import { createEmitMissed } from '../src/sweep/emit-missed.ts';
import { createLeftOutRows } from '../src/sweep/left-out.ts';
import { createLookBack } from '../src/sweep/look-back.ts';
import { startSweep } from '../src/sweep/start-sweep.ts';
import { createAcquireSweepLease } from '../src/sweep/sweep-state.ts';
import { createSweep } from '../src/sweep/sweep.ts';
import type { SharedClock } from '../src/redis/shared-clock.ts';
import { chunks } from '../src/batching.ts';
import { createLogLeftOut } from './log-left-out.ts';
import { createThrottledLog } from '../src/process/throttled-log.ts';

export interface SweepMissedWritesDeps {
  config: WorkerConfig;
  redis: RedisClient;
  queues: EmissionQueues;
  models: Models;
  /** Of this process. */
  ownerId: string;
  clock: Pick<SharedClock, 'now'>;
  metrics: Pick<FleetMetrics, 'watchLeftOut'>;
  /** What the last sweep failed with; undefined where it did not. */
  onResult: (fault: unknown) => void;
  reportDamage: ReportDamage;
  flow: Logger;
}

/** A sweep that takes longer has died; another worker may begin. */
const SHORTEST_LOCK_MS = 15_000;
/** Live bookings come in between. */
const ENQUEUED_AT_ONCE = 25;

/** The sweep of this worker: every worker has the timer, whoever gets the lock does the work. */
export function sweepMissedWrites(deps: SweepMissedWritesDeps) {
  const { config, redis, queues, models, ownerId, clock, metrics, onResult, reportDamage, flow } = deps;
  const { RECONCILE_INTERVAL_MS: intervalMs, QUEUE_PREFIX: prefix } = config;
  const recent = createRecentEmissions({
    redis,
    prefix,
    now: clock.now,
    reportDamage,
    onForgotten: (error) => {
      flow.debug({ error: errorMessage(error) }, 'emission ids were not remembered by appointment');
    },
  });
  const enqueue = createEnqueue({
    queues,
    redis,
    policy: { attempts: config.EMISSION_ATTEMPTS, firstRetryDelayMs: config.EMISSION_BACKOFF_MS },
    remember: recent.remember,
  });
  const findUpdated = createFindUpdated(models);
  const findUnsweepable = createFindUnsweepable(models);
  const leftOut = createLeftOutRows(createLogLeftOut(flow));
  const emitMissed = createEmitMissed({
    lastPublished: createReadLastPublished({ redis, keys: createCompanyKeys(prefix), reportDamage }),
    enqueue: async (emissions) => {
      for (const slice of chunks(emissions, ENQUEUED_AT_ONCE)) await enqueue(slice, PRIORITY.sweep);
    },
  });
  const lookBack = createLookBack({
    findUpdated,
    findUnsweepable: (since, limit) =>
      findUnsweepable(since, limit).catch((error: unknown) => {
        flow.debug({ error: errorMessage(error) }, 'rows that no sweep reaches were not looked for');
        return [];
      }),
    emitMissed,
    leftOut,
  });
  const sweepFailed = createThrottledLog(flow, 'the sweep failed; it will try again');
  const sweep = startSweep({
    sweep: createSweep({
      hold: createAcquireSweepLease({
        redis,
        prefix,
        ownerId,
        lockMs: Math.max(3 * intervalMs, SHORTEST_LOCK_MS),
        reportDamage,
      }),
      findUpdated,
      emitMissed,
      lookBack,
      leftOut,
      backlog: async () => {
        const { waiting, prioritized } = await readQueuesDepth(redis, queues);
        return waiting + prioritized;
      },
    }),
    intervalMs,
    onReport: (report) => {
      onResult(undefined);
      if (report && report.emitted > 0) flow.info(report, 'the sweep found writes that were not announced');
    },
    onFault: (error) => {
      onResult(error);
      sweepFailed({}, error);
    },
  });
  metrics.watchLeftOut(leftOut.count);
  return {
    /** What an operator should mend, while it lasts. */
    warnings: () => warningsOf(leftOut.describe(), lookBack.inFuture()),
    close: async () => {
      await sweep.close();
      await recent.settled();
    },
  };
}

function warningsOf(leftOut: string, inFuture: number): string[] {
  return [
    ...(leftOut === ''
      ? []
      : [
          `the sweep leaves out appointments with an unusable field (${leftOut}): their changes reach no dashboard by it; ` +
            `_id and companyId must be ObjectIds, updatedAt a date`,
        ]),
    ...(inFuture === 0
      ? []
      : [`appointments have an updatedAt in the future (${inFuture}): the clock of a bot is or was ahead`]),
  ];
}
