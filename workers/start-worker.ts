import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkerConfig } from '../src/config.ts';
import { connectRedis } from '../src/connections.ts';
import { createEmitAppointment } from '../src/emission/emit-appointment.ts';
import { createEmitCanary } from '../src/emission/emit-canary.ts';
import { createEncodeMessage } from '../src/emission/encode.ts';
import { createPublish } from '../src/emission/publish.ts';
import { createReadSnapshots } from '../src/emission/read-snapshots.ts';
import { messageOf } from '../src/errors.ts';
import { createLifecycle } from '../src/lifecycle.ts';
import type { Logger } from '../src/logger.ts';
import { createFleetMetrics } from '../src/metrics/fleet-metrics.ts';
import { serveMetricsPort } from '../src/metrics/serve-metrics-port.ts';
import { watchWorkerProgress, type WorkerProgress } from '../src/liveness/worker-progress.ts';
import { readQueueDepth } from '../src/metrics/queue-depth.ts';
import { connectMongo } from '../src/population/connect.ts';
import { createLoadAppointments } from '../src/population/load-appointments.ts';
import { createModels } from '../src/population/models.ts';
import { createNotePublished, parseCanaryJob } from '../src/queue/canary-job.ts';
import { openQueue } from '../src/queue/open-queue.ts';
import { isServerAway } from '../src/server-away.ts';
import { createWarnOfSlowLog, logSlowLog } from '../src/slow-log.ts';
import { createEmissionWorker } from './emission-worker.ts';
import { sweepMissedWrites } from './sweep-missed-writes.ts';

const SERVER_SELECTION_MS = 2_000;

export interface WorkerDeps {
  config: WorkerConfig;
  logger: Logger;
}

export interface RunningWorker {
  close: () => Promise<void>;
}

/** Composition root of one worker process. Resolves at once; what is away then is waited for. */
export function startWorker({ config, logger }: WorkerDeps): RunningWorker {
  const onFault = (what: string) => (error: unknown) => {
    logger.warn({ what, error: messageOf(error) }, 'fault');
  };
  const lifecycle = createLifecycle({
    deadlineMs: config.SHUTDOWN_DEADLINE_MS,
    onError: (what, error) => {
      logger.error({ what, error: error.message }, 'not closed in order');
    },
  });

  const redis = connectRedis(config.REDIS_URL, 'request', onFault('redis'));
  lifecycle.onClose('redis', () => {
    redis.disconnect();
  });
  void logSlowLog(redis, createWarnOfSlowLog(redis), logger);
  const queueRedis = connectRedis(config.REDIS_URL, 'queue', onFault('redis of the queue'));
  lifecycle.onClose('redis of the queue', () => {
    queueRedis.disconnect();
  });
  const mongo = connectMongo(config.MONGODB_URI, {
    serverSelectionMs: SERVER_SELECTION_MS,
    onError: onFault('mongodb'),
  });
  lifecycle.onClose('mongodb', mongo.close);

  const queue = openQueue({ redis, prefix: config.QUEUE_PREFIX, onError: onFault('queue') });
  lifecycle.onClose('queue', () => queue.close());
  const metrics = createFleetMetrics({
    redis,
    queue,
    prefix: config.QUEUE_PREFIX,
    onError: onFault('metrics'),
  });
  lifecycle.onClose('metrics', metrics.close);
  const id = randomUUID();
  let progress: WorkerProgress | undefined;
  if (config.CANARY_INTERVAL_MS > 0) {
    progress = watchWorkerProgress({
      intervalMs: config.CANARY_INTERVAL_MS,
      oldestWaitingAgeMs: async () =>
        (await queue.isPaused()) ? null : (await readQueueDepth({ redis, queue })).oldestWaitingAgeMs,
    });
    lifecycle.onClose('progress', progress.close);
    metrics.watchProgress('worker', progress.sinceMadeMs);
  }
  metrics.beat(() => ({ role: 'worker', id, ...(progress && { idleMs: progress.sinceMadeMs() }) }));
  if (config.METRICS_PORT !== undefined) {
    const { listening, close } = serveMetricsPort(
      config.METRICS_PORT,
      metrics.registry,
      () => progress?.verdict() ?? { ok: true },
    );
    lifecycle.onClose('metrics port', close);
    listening.catch(onFault('metrics port'));
  }

  const models = createModels(mongo.connection);
  const load = createLoadAppointments(models);
  const emitCanary = createEmitCanary(redis, config.SOCKET_ADAPTER_KEY);
  const notePublished = createNotePublished({ redis, prefix: config.QUEUE_PREFIX });
  const worker = createEmissionWorker({
    redis: queueRedis,
    prefix: config.QUEUE_PREFIX,
    concurrency: config.WORKER_CONCURRENCY,
    firstRetryDelayMs: config.EMISSION_BACKOFF_MS,
    emitAppointment: createEmitAppointment({
      readSnapshots: createReadSnapshots({ redis, load }),
      encode: createEncodeMessage(config.SOCKET_ADAPTER_KEY),
      publish: createPublish(redis, { logMax: config.COMPANY_LOG_MAX }),
      isServerAway,
      pause,
    }),
    answerCanary: async (job) => {
      const canary = parseCanaryJob(job);
      await emitCanary(canary);
      await notePublished(canary);
    },
    onProgress: () => {
      progress?.made();
    },
    pause,
    isServerAway,
    metrics,
    flow: logger,
  });
  // Takes no new job, and waits for those that run.
  lifecycle.onClose('worker', () => worker.close());
  worker.run().catch(onFault('worker'));

  if (config.RECONCILE_INTERVAL_MS > 0) {
    const sweep = sweepMissedWrites({ config, redis, queue, models, ownerId: id, flow: logger });
    lifecycle.onClose('sweep', sweep.close);
  }

  return { close: lifecycle.close };
}
