import { type Job, RateLimitError, UnrecoverableError, Worker } from 'bullmq';
import { QUEUE_NAME } from '../src/contracts/names.ts';
import type { RedisClient } from '../src/connections.ts';
import type { EmitAppointment, Receipt } from '../src/emission/emit-appointment.ts';
import { AppError, type ErrorCode, messageOf } from '../src/errors.ts';
import type { Logger } from '../src/logger.ts';
import type { FleetMetrics } from '../src/metrics/fleet-metrics.ts';
import { type EmissionJob, parseEmissionJob } from '../src/queue/emission-job.ts';
import { retryDelayMs } from '../src/queue/retry-policy.ts';

export interface EmissionWorkerDeps {
  redis: RedisClient;
  prefix: string;
  concurrency: number;
  firstRetryDelayMs: number;
  emitAppointment: EmitAppointment;
  /** Rests the queue's workers for so long. */
  rest: (ms: number) => Promise<unknown>;
  isServerAway: (error: unknown) => boolean;
  metrics: FleetMetrics;
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
 * How soon a dead worker's jobs run elsewhere: its locks end after 15 s, and every worker looks for such jobs every 5 s.
 * A job may lose its worker that often before it counts as failed (and stays, retryable).
 */
const CRASH_RECOVERY = { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 5 };
/** How long a worker rests when MongoDB or Redis is away. */
const REST_MS = 1_000;
/** Kept in Redis for Bull Board's chart: a week of minutes. */
const METRICS_MINUTES = 7 * 24 * 60;

/** Consumes the queue: one job is one emission. */
export function createEmissionWorker(deps: EmissionWorkerDeps): Worker<unknown, Receipt> {
  const {
    redis,
    prefix,
    concurrency,
    firstRetryDelayMs,
    emitAppointment,
    rest,
    isServerAway,
    metrics,
    flow,
  } = deps;

  async function process(job: Job<unknown, Receipt>): Promise<Receipt> {
    const startedAt = Date.now();
    const attempt = job.attemptsMade + 1;
    let emission: EmissionJob | undefined;
    try {
      emission = parseEmissionJob(job.data);
      const receipt = await emitAppointment({ ...emission, attempt });
      report(emission, attempt, receipt, startedAt);
      return receipt;
    } catch (error) {
      throw await translate(error, job, emission, attempt);
    }
  }

  function report(emission: EmissionJob, attempt: number, receipt: Receipt, startedAt: number): void {
    const { event, appointmentId, emissionId } = emission;
    const [acceptedAt, populatedAt, now] = [
      Date.parse(emission.acceptedAt),
      Date.parse(receipt.populatedAt),
      Date.now(),
    ];
    metrics.count(event, 'published');
    metrics.observe('wait', startedAt - acceptedAt);
    metrics.observe('load', populatedAt - startedAt);
    metrics.observe('publish', now - populatedAt);
    metrics.observe('total', now - acceptedAt);
    flow.info(
      {
        emissionId,
        appointmentId,
        attempt,
        offset: receipt.offset,
        gateways: receipt.gateways,
        tookMs: now - startedAt,
      },
      `[InternalSocket] Emitted ${event} for ${appointmentId}`,
    );
  }

  /** Tells BullMQ what kind of fault it was; nothing but its words and the ids leaves this process. */
  async function translate(
    error: unknown,
    job: Job,
    emission: EmissionJob | undefined,
    attempt: number,
  ): Promise<Error> {
    const ids = { emissionId: job.id, appointmentId: emission?.appointmentId, attempt };
    if (error instanceof AppError && PERMANENT.has(error.code)) {
      flow.error({ ...ids, code: error.code, error: error.message }, 'emission failed for good');
      return new UnrecoverableError(`${error.code}: ${error.message}`);
    }
    if (isServerAway(error)) {
      flow.warn({ ...ids, error: messageOf(error) }, 'a server is away; no attempt is spent');
      // With Redis away this fails too; then the worker waits for its own connection anyway.
      await rest(REST_MS).catch(() => undefined);
      return new RateLimitError();
    }
    flow.warn({ ...ids, error: messageOf(error) }, 'attempt failed');
    return new Error(messageOf(error));
  }

  const worker = new Worker<unknown, Receipt>(QUEUE_NAME, process, {
    connection: redis,
    prefix,
    concurrency,
    autorun: false,
    ...CRASH_RECOVERY,
    runRetryDelay: 1_000,
    drainDelay: 5,
    metrics: { maxDataPoints: METRICS_MINUTES },
    settings: { backoffStrategy: (attemptsMade: number) => retryDelayMs(attemptsMade, firstRetryDelayMs) },
  });
  worker.on('error', (error) => {
    flow.warn({ error: error.message }, 'worker fault');
  });
  worker.on('failed', (job, error) => {
    if (!job) {
      flow.error({ error: error.message }, 'a job failed that is no longer kept');
      return;
    }
    const parsed = job.data as Partial<EmissionJob> | null;
    const ended = job.finishedOn !== undefined;
    if (parsed?.event) metrics.count(parsed.event, ended ? 'failed' : 'retried');
    if (ended)
      flow.error({ emissionId: job.id, error: error.message, attempt: job.attemptsMade }, 'emission failed');
  });
  return worker;
}
