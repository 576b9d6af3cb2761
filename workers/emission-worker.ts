import {
  type BackendFactory,
  createRedisBackend,
  DelayedError,
  type Job,
  type RedisQueueBackend,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { CANARY, isAppointmentEvent } from '@appointment-emissions/contracts';
import type { RedisClient } from '../src/redis/connect.ts';
import type { EmissionAttempt, EmitAppointment, Receipt } from '../src/emission/emit-appointment.ts';
import {
  describeEmission,
  type NamedEmission,
  readNamedEmission,
  sourceOf,
} from '../src/domain/emission-log.ts';
import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/process/logger.ts';
import type { FleetMetrics } from '../src/metrics/fleet-metrics.ts';
import { type EmissionJob, isOfLaterVersion, parseEmissionJob } from '../src/queue/emission-job.ts';
import { KEPT_JOBS, PRIORITY, queueOf, retryDelayMs } from '../src/queue/retry-policy.ts';
import type { ServerTracing } from '../src/tracing/load-tracing.ts';
import { createTranslateFailure } from './translate-failure.ts';
import type { Quarantine } from '../src/queue/quarantine.ts';

export interface EmissionWorkerDeps {
  queueName: string;
  redis: RedisClient;
  /** Default: BullMQ's own, with a second connection that waits for jobs. */
  createBackend?: BackendFactory<RedisQueueBackend>;
  prefix: string;
  concurrency: number;
  /** How long a job that does not end stays with this worker. Default: the lock of BullMQ's jobs. */
  lockMs?: number;
  firstRetryDelayMs: number;
  emitAppointment: EmitAppointment;
  /** For jobs whose record in Redis is damaged. */
  quarantine: Quarantine;
  /** Sends a canary back to its gateway. */
  answerCanary: (job: unknown) => Promise<void>;
  /** Called when a job begins and when it ends. */
  onProgress: () => void;
  /** Called for each published emission with the number of gateways that received it; null if it is unknown. */
  onPublished: (gateways: number | null) => void;
  pause: (ms: number) => Promise<unknown>;
  isUnavailable: (error: unknown) => boolean;
  /** Milliseconds since 1970, by the clock that all processes share. */
  now?: () => number;
  metrics: FleetMetrics;
  /** Called with errors of BullMQ's worker and of its connections. The same error may come many times. */
  onError: (error: unknown) => void;
  flow: Logger;
  tracing?: ServerTracing | undefined;
}

/**
 * The jobs of a dead worker run elsewhere within 15 s: its locks expire after 10 s, and every worker looks for expired locks every
 * 5 s. A job that loses its worker more than five times fails, and can be retried.
 */
const CRASH_RECOVERY = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 5 };
/** During an upgrade a newer worker may still be starting. After this time a job of a later version fails here. */
const LEAVE_TO_NEWER_MS = 10 * 60_000;
const LOOK_AGAIN_MS = 2_000;
/** A week, for Bull Board's chart. */
const METRICS_MINUTES = 7 * 24 * 60;

/** A worker of one queue. A job is one emission, or a canary. */
export function createEmissionWorker(deps: EmissionWorkerDeps): Worker<unknown, Receipt | null> {
  const { redis, prefix, concurrency, firstRetryDelayMs, tracing, now = Date.now } = deps;
  const options: WorkerOptions = {
    connection: redis,
    prefix,
    concurrency,
    autorun: false,
    ...CRASH_RECOVERY,
    ...KEPT_JOBS,
    runRetryDelay: 1_000,
    drainDelay: 5,
    metrics: { maxDataPoints: METRICS_MINUTES },
    ...(tracing && { telemetry: tracing.telemetry }),
    settings: {
      backoffStrategy: (attemptsMade: number) =>
        toOwnDelayMs(retryDelayMs(attemptsMade, firstRetryDelayMs), now),
    },
  };
  const { queueName, createBackend = createRedisBackend } = deps;
  const worker = new Worker<unknown, Receipt | null>(
    queueName,
    createProcessJob(deps),
    options,
    createBackend,
  );
  worker.on('error', (error) => {
    deps.onError(error);
    void deps.quarantine.check();
  });
  countOutcomes(worker, deps);
  return worker;
}

/** BullMQ adds a delay to this process' own clock. The result makes the sum right by the clock that all processes share. */
function toOwnDelayMs(delayMs: number, now: () => number): number {
  return Math.max(1, Math.round(delayMs + now() - Date.now()));
}

/** Runs one job: parses and emits it. Throws what BullMQ needs to decide whether the attempt is spent. */
function createProcessJob(deps: EmissionWorkerDeps) {
  const { emitAppointment, quarantine, answerCanary, onProgress, tracing, now = Date.now } = deps;
  const { lockMs = CRASH_RECOVERY.lockDuration } = deps;
  const translateFailure = createTranslateFailure({ ...deps, now });

  return async (job: Job<unknown, Receipt | null>, token?: string): Promise<Receipt | null> => {
    onProgress();
    const startedAt = now();
    const attempt = job.attemptsMade + 1;
    let emission: EmissionJob | undefined;
    try {
      if (!Number.isSafeInteger(job.attemptsMade)) await refuseDamaged(job, quarantine);
      if (job.name === CANARY) {
        await answerCanary(job.data);
        return null;
      }
      if (isOfLaterVersion(job.data) && now() - job.timestamp < LEAVE_TO_NEWER_MS) {
        await job.moveToDelayed(Date.now() + toOwnDelayMs(LOOK_AGAIN_MS, now), token);
        throw new DelayedError("the job's version is later than this worker's");
      }
      emission = parseEmissionJob(job.data, job.name);
      const attempted = {
        ...emission,
        attempt,
        isRepeated: () => isRepeated(job, lockMs),
        isLive: job.priority === PRIORITY.live,
      };
      // BullMQ's span of this attempt.
      const active = tracing?.active();
      const receipt = await emitAppointment(
        active === undefined ? attempted : { ...attempted, traceparent: active },
      );
      reportPublished(attempted, receipt, { startedAt, endedAt: now() }, deps);
      return receipt;
    } catch (error) {
      throw await translateFailure(error, {
        emissionId: job.id,
        emission: emission ?? namedBy(job),
        attempt,
        startedAt,
      });
    } finally {
      onProgress();
    }
  };
}

/**
 * BullMQ counts attempts when a job ends. If the stored count is no number, its script would remove the job from all lists: such a
 * job goes to quarantine instead.
 */
async function refuseDamaged({ id = '' }: Job, quarantine: Quarantine): Promise<never> {
  await quarantine.move(id);
  throw new AppError('JOB_INVALID', "the job's count of attempts is not usable");
}

/** Whether another worker may have run the job: one that died before, or, while this one was frozen, one that took the job over. */
function isRepeated(job: Job, lockMs: number): boolean {
  const { attemptsMade, attemptsStarted, processedOn = Date.now() } = job;
  const ageMs = Date.now() - processedOn;
  // The run of a worker that died counts as started, not as made. If the clock was set back, the age is unknown.
  return attemptsMade > 0 || attemptsStarted > 1 || ageMs > lockMs / 2 || ageMs < 0;
}

/** Logs the emission, and observes its latencies. Times are in ms since 1970. */
function reportPublished(
  emission: EmissionJob & EmissionAttempt,
  receipt: Receipt,
  { startedAt, endedAt }: { startedAt: number; endedAt: number },
  { onPublished, metrics, flow }: Pick<EmissionWorkerDeps, 'onPublished' | 'metrics' | 'flow'>,
): void {
  const { appointmentId, emissionId, attempt, traceparent, isLive } = emission;
  const acceptedAt = Date.parse(emission.acceptedAt);
  const populatedAt = Date.parse(receipt.populatedAt);
  if (isLive) {
    metrics.observe('wait', startedAt - acceptedAt);
    metrics.observe('load', populatedAt - startedAt);
    metrics.observe('publish', endedAt - populatedAt);
    metrics.observe('total', endedAt - acceptedAt);
  } else metrics.observe('bulk', endedAt - acceptedAt);
  onPublished(receipt.gateways);
  flow.info(
    {
      emissionId,
      appointmentId,
      attempt,
      offset: receipt.offset,
      gateways: receipt.gateways,
      tookMs: endedAt - startedAt,
      traceparent,
    },
    `[InternalSocket] Emitted ${describeEmission({ event: receipt.event, appointmentId })}`,
  );
}

/** Counts a job when the queue has recorded its end, so that a job that ran twice counts once. */
function countOutcomes(
  worker: Worker<unknown, Receipt | null>,
  { metrics, flow }: Pick<EmissionWorkerDeps, 'metrics' | 'flow'>,
): void {
  worker.on('completed', ({ name, id = '', priority }) => {
    if (!isAppointmentEvent(name)) return;
    metrics.count(name, 'published', 1, queueOf(priority));
    metrics.published(sourceOf(id));
  });
  worker.on('failed', (job, error) => {
    if (!job) {
      flow.error({ error: error.message }, '[InternalSocket] Failed to emit: the job has expired');
      return;
    }
    const isFinal = job.finishedOn !== undefined;
    if (isAppointmentEvent(job.name)) {
      metrics.count(job.name, isFinal ? 'failed' : 'retried', 1, queueOf(job.priority));
    }
    if (isFinal) {
      const named = namedBy(job);
      flow.error(
        {
          emissionId: job.id,
          appointmentId: named.appointmentId,
          error: error.message,
          attempt: job.attemptsMade,
        },
        `[InternalSocket] Failed to emit ${describeEmission(named)}`,
      );
    }
  });
}

/** What a job of any form names. */
function namedBy({ name, data }: Job<unknown>): NamedEmission {
  return readNamedEmission({ ...Object(data), event: name });
}
