import type { QueueName } from '@appointment-emissions/contracts';
import type { WorkerConfig, WorkerCoreConfig } from '../src/config.ts';
import { createEmitAppointment } from '../src/emission/emit-appointment.ts';
import { errorMessage } from '../src/errors.ts';
import { connectMongo } from '../src/population/connect.ts';
import type { AppointmentModel } from '../src/model/appointment-model.ts';
import { closeIfThrows } from '../src/process/lifecycle.ts';
import type { Logger } from '../src/process/logger.ts';
import type { Shard } from '../src/queue/shards.ts';
import { openMetricsPort } from '../src/resources/open-metrics-port.ts';
import { openResources, type Resources } from '../src/resources/open-resources.ts';
import type { ServerTracing } from '../src/tracing/load-tracing.ts';
import { captureWrites } from './capture-writes.ts';
import { composePipeline, composeQuarantine, composeWorkerDeps } from './compose-worker.ts';
import { createEmissionWorker } from './emission-worker.ts';
import { logQueueRestrictions } from './log-queue-restrictions.ts';
import { releaseDelayed } from './release-delayed.ts';
import { retireShards } from './retire-shards.ts';
import { sweepMissedWrites } from './sweep-missed-writes.ts';
import { type Progress, watchProgress } from './watch-progress.ts';

/** Bulk jobs that run at once: one batch is published while the jobs of another one end and start. */
const BULK_CONCURRENCY = 40;

export interface WorkerDeps {
  config: WorkerConfig;
  model: AppointmentModel;
  logger: Logger;
  /** Problems of this process' log, as text for the operator. */
  logWarnings?: () => string[];
  /** Undefined without an OpenTelemetry SDK. */
  tracing: ServerTracing | undefined;
}

export interface RunningWorker {
  close: () => Promise<void>;
  /** Resolves if a setting turns out to be unusable with this Redis: the process must end. */
  unusable: Promise<Error>;
}

/** Starts one worker process. Returns at once: the worker takes jobs as soon as MongoDB and Redis answer. */
export function startWorker({ config, model, logger, logWarnings, tracing }: WorkerDeps): RunningWorker {
  const resources = openResources({
    config,
    model,
    role: 'worker',
    connect: (options) => connectMongo(config.MONGODB_URI, options),
    logger,
    logWarnings,
    tracing,
  });
  closeIfThrows(resources.lifecycle, () => {
    runWorker(resources);
  });
  return { close: resources.lifecycle.close, unusable: resources.unusable };
}

/** Starts a worker on resources of the role `worker`, whose lifecycle closes it. */
export function runWorker(resources: Resources<WorkerCoreConfig>): void {
  const { id, lifecycle, metrics, outages, warnings, logger } = resources;
  const progress = watchProgress(resources);
  warnings.add(() => [outages.mongo.isDown() ? 'MongoDB cannot be read: jobs wait' : undefined]);
  logQueueRestrictions({ read: metrics.queueStates, logger, lifecycle });
  openMetricsPort(resources, progress.verdict);
  releaseOverdue(resources);
  retireShards(resources);
  runEmissionWorkers(resources, progress);
  sweepMissedWrites(resources);
  const captureState = captureWrites(resources);
  metrics.beat(() => ({
    role: 'worker',
    id,
    ...(progress.sinceMadeMs && { idleMs: progress.sinceMadeMs() }),
    shards: resources.shards.all().length,
    warnings: warnings.read(),
    capture: captureState(),
  }));
}

/** One BullMQ worker for each queue of each shard. They share a pipeline, so that bulk reads can yield to live ones. */
function runEmissionWorkers(resources: Resources<WorkerCoreConfig>, progress: Progress): void {
  const { config, dedicatedRedis, shards, outages, lifecycle } = resources;
  const pipeline = composePipeline(resources, { hasDigest: config.CAPTURE !== 'off' });
  const common = {
    ...composeWorkerDeps(resources),
    redis: dedicatedRedis,
    emitAppointment: createEmitAppointment(pipeline),
  };
  const workers: ReturnType<typeof createEmissionWorker>[] = [];
  let isClosing = false;
  const runQueue = (name: QueueName, { prefix, [name]: queue }: Shard, concurrency: number): void => {
    const worker = createEmissionWorker({
      ...common,
      prefix,
      queueName: queue.name,
      quarantine: composeQuarantine(name, queue, resources),
      concurrency: Math.ceil(concurrency / config.QUEUE_SHARDS),
      onProgress: () => {
        progress.made(queue);
      },
    });
    workers.push(worker);
    worker.run().catch(outages.queue('worker error'));
  };
  // `close` takes no new job, and waits for those that run. Without Redis no job can end, and BullMQ would wait for ever.
  lifecycle.onClose('workers', () => {
    isClosing = true;
    const isForced = dedicatedRedis.status !== 'ready';
    return Promise.all(workers.map((worker) => worker.close(isForced)));
  });
  shards.each((shard) => {
    if (isClosing) return;
    runQueue('live', shard, config.WORKER_CONCURRENCY);
    runQueue('bulk', shard, Math.min(BULK_CONCURRENCY, config.WORKER_CONCURRENCY));
  });
}

function releaseOverdue({ redis, shards, clock, lifecycle, logger }: Resources<WorkerCoreConfig>): void {
  const delayed = releaseDelayed({
    redis,
    queues: () => shards.all().flatMap(({ live, bulk }) => [live, bulk]),
    now: clock.now,
    onFault: (error) => {
      logger.debug({ error: errorMessage(error) }, 'overdue jobs were not released');
    },
  });
  lifecycle.onClose('delayed jobs', delayed.close);
}
