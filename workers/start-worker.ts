import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { composeClock } from '../src/redis/compose-clock.ts';
import { ConfigError, type WorkerConfig } from '../src/config.ts';
import { connectRedis, whenDatabaseMissing } from '../src/redis/connect.ts';
import { isAppointmentEvent } from '@appointment-emissions/contracts';
import { createReportDamage } from '../src/process/damaged-data.ts';
import { createEmitAppointment } from '../src/emission/emit-appointment.ts';
import { createEmitCanary } from '../src/emission/emit-canary.ts';
import { createEncodeMessage } from '../src/emission/encode.ts';
import { createCompanyKeys } from '../src/emission/keys.ts';
import { createPublish } from '../src/emission/publish.ts';
import { createReadSnapshots } from '../src/emission/read-snapshots.ts';
import { errorMessage } from '../src/errors.ts';
import { createLifecycle } from '../src/process/lifecycle.ts';
import type { Logger } from '../src/process/logger.ts';
import { createFleetMetrics } from '../src/metrics/fleet-metrics.ts';
import { recordCuts } from '../src/access/record-cuts.ts';
import { serveMetricsPort } from '../src/metrics/serve-metrics-port.ts';
import { connectMongo } from '../src/population/connect.ts';
import { createLoadAppointments } from '../src/population/load-appointments.ts';
import { createModels } from '../src/population/models.ts';
import { createNotePublished, parseCanaryJob } from '../src/liveness/canary-job.ts';
import { createQuarantine } from '../src/queue/quarantine.ts';
import { closeQueues, openQueues } from '../src/queue/open-queues.ts';
import { isUnavailable } from '../src/process/unavailable.ts';
import { watchConnections } from '../src/redis/watch-connections.ts';
import { SWEEP_OFF } from '../src/sweep/sweep-off.ts';
import { createEmissionWorker } from './emission-worker.ts';
import { releaseDelayed } from './release-delayed.ts';
import { logQueueRestrictions } from './log-queue-restrictions.ts';
import { sweepMissedWrites } from './sweep-missed-writes.ts';
import { watchProgress } from './watch-progress.ts';

const SERVER_SELECTION_MS = 2_000;
/** So many jobs of what nobody waits for are in hand: two batches. */
const BULK_CONCURRENCY = 20;

export interface WorkerDeps {
  config: WorkerConfig;
  logger: Logger;
  /** What is wrong with this process' log, in words. */
  logWarnings?: () => string[];
}

export interface RunningWorker {
  close: () => Promise<void>;
  /** Resolves when it turns out that a setting can never work here: the process should end. */
  unusable: Promise<Error>;
}

/** Composition root of one worker process. Resolves at once; what is away then is waited for. */
export function startWorker({ config, logger, logWarnings = () => [] }: WorkerDeps): RunningWorker {
  const lifecycle = createLifecycle({
    deadlineMs: config.SHUTDOWN_DEADLINE_MS,
    onError: (what, error) => {
      logger.error({ what, error: error.message }, 'not closed in order');
    },
  });

  const watch = watchConnections(logger, lifecycle);
  const redis = connectRedis(config.REDIS_URL, 'request');
  watch.redis('requests', redis);
  lifecycle.onClose('redis', () => {
    redis.disconnect();
  });
  const unusable = whenDatabaseMissing(redis).then((words) => new ConfigError([words]));
  const queueRedis = connectRedis(config.REDIS_URL, 'queue');
  watch.redis('queue', queueRedis);
  lifecycle.onClose('redis of the queue', () => {
    queueRedis.disconnect();
  });
  const mongo = connectMongo(config.MONGODB_URI, {
    serverSelectionMs: SERVER_SELECTION_MS,
    ...watch.mongo,
  });
  lifecycle.onClose('mongodb', mongo.close);
  watch.ready();

  const queues = openQueues({ redis, prefix: config.QUEUE_PREFIX, onError: watch.queue('queue error') });
  lifecycle.onClose('queues', () => closeQueues(queues));
  const metrics = createFleetMetrics({
    redis,
    queues,
    prefix: config.QUEUE_PREFIX,
    reportDamage: (kind, details) => {
      reportDamage(kind, details);
    },
    onError: watch.queue('counts not kept'),
  });
  lifecycle.onClose('metrics', metrics.close);
  const reportDamage = createReportDamage({ count: metrics.damage, logger });
  const id = randomUUID();
  const progress = watchProgress({ config, redis, queues, lifecycle });
  if (progress.live) metrics.watchProgress('worker', progress.live.sinceMadeMs);
  const clock = composeClock({ redis, queues, mongo, metrics, lifecycle, logger });
  let sweep: ReturnType<typeof sweepMissedWrites> | undefined;
  let metricsPortFault: string | undefined;
  let sweepFault: string | undefined = config.RECONCILE_INTERVAL_MS === 0 ? SWEEP_OFF : undefined;
  metrics.beat(() => ({
    role: 'worker',
    id,
    ...(progress.live && { idleMs: progress.live.sinceMadeMs() }),
    warnings: [
      ...clock.warnings(),
      ...(sweep?.warnings() ?? []),
      ...(watch.mongo.isDown() ? ["MongoDB can't be read: jobs wait"] : []),
      ...[metricsPortFault, sweepFault].filter((words) => words !== undefined),
      ...logWarnings(),
    ],
  }));
  logQueueRestrictions({ read: metrics.queueStates, logger, lifecycle });
  if (config.METRICS_PORT !== undefined) {
    const { listening, close } = serveMetricsPort(config.METRICS_PORT, {
      registry: metrics.registry,
      isAlive: progress.verdict,
      onCut: recordCuts(metrics.cut, logger),
    });
    lifecycle.onClose('metrics port', close);
    listening.catch((error: unknown) => {
      metricsPortFault = `the metrics port is not open: ${errorMessage(error)}`;
      logger.error({ error: metricsPortFault }, 'metrics port not open');
    });
  }

  const models = createModels(mongo.connection);
  const load = createLoadAppointments(models);
  const keys = createCompanyKeys(config.QUEUE_PREFIX);
  const emitCanary = createEmitCanary(redis, config.SOCKET_ADAPTER_KEY);
  const notePublished = createNotePublished({ redis, prefix: config.QUEUE_PREFIX });
  const quarantineOf = (queue: Queue) =>
    createQuarantine({
      queue,
      redis,
      reportDamage,
      onFailed: (emissionId, name) => {
        if (isAppointmentEvent(name)) metrics.count(name, 'failed');
        logger.error({ emissionId, code: 'JOB_INVALID' }, 'emission failed for good');
      },
    });
  const common = {
    redis: queueRedis,
    prefix: config.QUEUE_PREFIX,
    firstRetryDelayMs: config.EMISSION_BACKOFF_MS,
    // Of both queues, so that the one sees what the other is at.
    emitAppointment: createEmitAppointment({
      readSnapshots: createReadSnapshots({ redis, keys, load, reportDamage }),
      encode: createEncodeMessage(config.SOCKET_ADAPTER_KEY),
      publish: createPublish(redis, { keys, logMax: config.COMPANY_LOG_MAX, reportDamage }),
      isUnavailable,
      pause,
      now: clock.now,
    }),
    answerCanary: async (job: unknown) => {
      const canary = parseCanaryJob(job);
      await emitCanary(canary);
      await notePublished(canary);
    },
    pause,
    isUnavailable,
    now: clock.now,
    metrics,
    onError: watch.queue('worker error'),
    flow: logger,
  };
  const workers = [
    createEmissionWorker({
      ...common,
      queueName: queues.live.name,
      quarantine: quarantineOf(queues.live),
      concurrency: config.WORKER_CONCURRENCY,
      onProgress: () => progress.live?.made(),
    }),
    createEmissionWorker({
      ...common,
      queueName: queues.bulk.name,
      quarantine: quarantineOf(queues.bulk),
      concurrency: Math.min(BULK_CONCURRENCY, config.WORKER_CONCURRENCY),
      onProgress: () => progress.bulk?.made(),
    }),
  ];
  const delayed = releaseDelayed({
    redis,
    queues: [queues.live, queues.bulk],
    now: clock.now,
    onFault: (error) => {
      logger.debug({ error: errorMessage(error) }, 'delayed jobs were not looked through');
    },
  });
  lifecycle.onClose('delayed jobs', delayed.close);
  // They take no new job, and wait for those that run.
  lifecycle.onClose('workers', () => Promise.all(workers.map((worker) => worker.close())));
  for (const worker of workers) worker.run().catch(watch.queue('worker error'));

  if (config.RECONCILE_INTERVAL_MS > 0) {
    sweep = sweepMissedWrites({
      config,
      redis,
      queues,
      models,
      ownerId: id,
      clock,
      metrics,
      onResult: (fault) => {
        sweepFault = fault === undefined ? undefined : `the sweep fails: ${errorMessage(fault)}`;
      },
      reportDamage,
      flow: logger,
    });
    lifecycle.onClose('sweep', sweep.close);
  }

  return { close: lifecycle.close, unusable };
}
