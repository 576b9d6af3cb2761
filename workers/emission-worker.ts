import { DelayedError, type Job, RateLimitError, UnrecoverableError, Worker } from 'bullmq';
import { CANARY, isAppointmentEvent } from '@appointment-emissions/contracts';
import type { RedisClient } from '../src/redis/connect.ts';
import type { EmissionAttempt, EmitAppointment, Receipt } from '../src/emission/emit-appointment.ts';
import { AppError, type ErrorCode } from '../src/errors.ts';
import type { Logger } from '../src/process/logger.ts';
import type { FleetMetrics } from '../src/metrics/fleet-metrics.ts';
import { type EmissionJob, isOfLaterVersion, parseEmissionJob } from '../src/queue/emission-job.ts';
import { KEPT_JOBS, PRIORITY, retryDelayMs } from '../src/queue/retry-policy.ts';
import { createThrottledLog } from '../src/process/throttled-log.ts';
import { failureReason } from './failure-reason.ts';
import type { Quarantine } from '../src/queue/quarantine.ts';

export interface EmissionWorkerDeps {
  queueName: string;
  redis: RedisClient;
  prefix: string;
  concurrency: number;
  firstRetryDelayMs: number;
  emitAppointment: EmitAppointment;
  /** For jobs whose record in Redis is damaged. */
  quarantine: Quarantine;
  /** Sends a canary back to its gateway. */
  answerCanary: (job: unknown) => Promise<void>;
  /** A job was taken up, or ended. */
  onProgress: () => void;
  pause: (ms: number) => Promise<unknown>;
  isUnavailable: (error: unknown) => boolean;
  /** Milliseconds since 1970, by a clock that all processes share. */
  now?: () => number;
  metrics: FleetMetrics;
  /** Errors of BullMQ's worker and of its connections; they repeat. */
  onError: (error: unknown) => void;
  flow: Logger;
}

/** Trying again can't mend these. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set([
  'APPOINTMENT_NOT_FOUND',
  'COMPANY_MISMATCH',
  'SNAPSHOT_TOO_LARGE',
  'JOB_INVALID',
]);

/**
 * How soon a dead worker's jobs run elsewhere: its locks end after 10 s, and every worker looks for such jobs every 5 s.
 * A job may lose its worker that often before it counts as failed (and stays, retryable).
 */
const CRASH_RECOVERY = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 5 };
/** How long a job holds its slot before it goes back to the queue when MongoDB or Redis is away. */
const REST_MS = 1_000;
/** During an upgrade: a job of a later version is left for so long to a newer worker, which may still be starting. */
const LEFT_TO_NEWER_MS = 10 * 60_000;
const LOOK_AGAIN_MS = 2_000;
/** Kept in Redis for Bull Board's chart: a week of minutes. */
const METRICS_MINUTES = 7 * 24 * 60;

/** Consumes a queue: one job is one emission, or a canary. */
export function createEmissionWorker(deps: EmissionWorkerDeps): Worker<unknown, Receipt | null> {
  const {
    queueName,
    redis,
    prefix,
    concurrency,
    firstRetryDelayMs,
    emitAppointment,
    quarantine,
    answerCanary,
    onProgress,
    pause,
    isUnavailable,
    now = Date.now,
    metrics,
    onError,
    flow,
  } = deps;

  /** BullMQ adds a delay to this process' own time: so that the sum is right by the clock that all share. */
  const byOwnClock = (delayMs: number): number => Math.max(1, Math.round(delayMs + now() - Date.now()));

  const logUnavailable = createThrottledLog(flow, 'a server is away; no attempt is spent');
  const logLeft = createThrottledLog(flow, 'left to a newer worker; no attempt is spent');

  async function process(job: Job<unknown, Receipt | null>, token?: string): Promise<Receipt | null> {
    onProgress();
    const startedAt = now();
    const attempt = job.attemptsMade + 1;
    let emission: EmissionJob | undefined;
    try {
      await refuseDamaged(job);
      if (job.name === CANARY) {
        await answerCanary(job.data);
        return null;
      }
      if (isOfLaterVersion(job.data) && now() - job.timestamp < LEFT_TO_NEWER_MS) {
        await job.moveToDelayed(Date.now() + byOwnClock(LOOK_AGAIN_MS), token);
        throw new DelayedError("the job's version is later than this worker's");
      }
      emission = parseEmissionJob(job.data, job.name);
      const own = { ...emission, attempt, isLive: job.priority === PRIORITY.live };
      const receipt = await emitAppointment(own);
      report(own, receipt, startedAt);
      return receipt;
    } catch (error) {
      throw await translate(error, job, emission, { attempt, startedAt });
    } finally {
      onProgress();
    }
  }

  /** BullMQ counts attempts when a job ends: where it cannot count, its script would drop the job from all lists. */
  async function refuseDamaged({ id = '', attemptsMade }: Job): Promise<void> {
    if (Number.isSafeInteger(attemptsMade)) return;
    await quarantine.move(id);
    throw new AppError('JOB_INVALID', "the job's count of attempts is not usable");
  }

  function report(done: EmissionJob & EmissionAttempt, receipt: Receipt, startedAt: number): void {
    const { event, appointmentId, emissionId, attempt, traceparent } = done;
    const [acceptedAt, populatedAt, endedAt] = [
      Date.parse(done.acceptedAt),
      Date.parse(receipt.populatedAt),
      now(),
    ];
    if (done.isLive) {
      metrics.observe('wait', startedAt - acceptedAt);
      metrics.observe('load', populatedAt - startedAt);
      metrics.observe('publish', endedAt - populatedAt);
      metrics.observe('total', endedAt - acceptedAt);
    } else metrics.observe('bulk', endedAt - acceptedAt);
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
      `[InternalSocket] Emitted ${event} for ${appointmentId}`,
    );
  }

  /** Tells BullMQ what kind of fault it was; nothing but its words and the ids leaves this process. */
  async function translate(
    error: unknown,
    job: Job,
    emission: EmissionJob | undefined,
    { attempt, startedAt }: { attempt: number; startedAt: number },
  ): Promise<Error> {
    const ids = {
      emissionId: job.id,
      appointmentId: emission?.appointmentId,
      attempt,
      tookMs: now() - startedAt,
      traceparent: emission?.traceparent,
    };
    if (error instanceof DelayedError) {
      logLeft(ids, error);
      return error;
    }
    if (error instanceof AppError && PERMANENT.has(error.code)) {
      flow.error({ ...ids, code: error.code, error: error.message }, 'emission failed for good');
      return new UnrecoverableError(failureReason(error));
    }
    if (isUnavailable(error)) {
      logUnavailable(ids, error);
      // Waits here, not by a rate limit in Redis: workers that reach their servers go on, and it holds without Redis.
      await pause(REST_MS);
      return new RateLimitError();
    }
    const words = failureReason(error);
    flow.warn({ ...ids, error: words }, 'attempt failed');
    return new Error(words);
  }

  const worker = new Worker<unknown, Receipt | null>(queueName, process, {
    connection: redis,
    prefix,
    concurrency,
    autorun: false,
    ...CRASH_RECOVERY,
    ...KEPT_JOBS,
    runRetryDelay: 1_000,
    drainDelay: 5,
    metrics: { maxDataPoints: METRICS_MINUTES },
    settings: {
      backoffStrategy: (attemptsMade: number) => byOwnClock(retryDelayMs(attemptsMade, firstRetryDelayMs)),
    },
  });
  worker.on('error', (error) => {
    onError(error);
    void quarantine.look();
  });
  // Counted when the queue has taken note, not when it was done: a job that ran twice counts once.
  worker.on('completed', ({ name }) => {
    if (isAppointmentEvent(name)) metrics.count(name, 'published');
  });
  worker.on('failed', (job, error) => {
    if (!job) {
      flow.error({ error: error.message }, 'a job failed that is no longer kept');
      return;
    }
    if (!isAppointmentEvent(job.name)) return;
    const ended = job.finishedOn !== undefined;
    metrics.count(job.name, ended ? 'failed' : 'retried');
    if (ended)
      flow.error({ emissionId: job.id, error: error.message, attempt: job.attemptsMade }, 'emission failed');
  });
  return worker;
}
