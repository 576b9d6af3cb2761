import { DelayedError, RateLimitError, UnrecoverableError } from 'bullmq';
import { describeEmission, type NamedEmission } from '../src/domain/emission-log.ts';
import { AppError, type ErrorCode, errorMessage } from '../src/errors.ts';
import type { Logger } from '../src/process/logger.ts';
import { createThrottledLog } from '../src/process/throttled-log.ts';
import type { EmissionJob } from '../src/queue/emission-job.ts';

/** Errors that another attempt cannot remedy. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set(['COMPANY_MISMATCH', 'SNAPSHOT_TOO_LARGE', 'JOB_INVALID']);

/** How long a job keeps its slot before it returns to the queue if MongoDB or Redis is unavailable. */
const UNAVAILABLE_PAUSE_MS = 1_000;

export interface TranslateFailureDeps {
  isUnavailable: (error: unknown) => boolean;
  pause: (ms: number) => Promise<unknown>;
  /** Milliseconds since 1970, by the clock that all processes share. */
  now: () => number;
  flow: Logger;
}

export interface FailedAttempt {
  emissionId: string | undefined;
  /** What the job names, as far as it can be parsed. */
  emission: NamedEmission & Pick<EmissionJob, 'traceparent'>;
  /** From 1. */
  attempt: number;
  /** Milliseconds since 1970. */
  startedAt: number;
}

/**
 * Logs why an attempt failed, and returns the error that BullMQ understands. `UnrecoverableError` ends the job, `RateLimitError` and
 * `DelayedError` spend no attempt, and any other spends one. The error's message is stored in Redis: it holds no personal data.
 */
export function createTranslateFailure({ isUnavailable, pause, now, flow }: TranslateFailureDeps) {
  const logUnavailable = createThrottledLog(
    flow,
    '[InternalSocket] Failed to emit: MongoDB or Redis is unavailable; no attempt is spent',
  );
  const logPostponed = createThrottledLog(
    flow,
    '[InternalSocket] Postponed: this job needs a newer worker; no attempt is spent',
  );

  return async (error: unknown, failed: FailedAttempt): Promise<Error> => {
    const { emissionId, emission, attempt, startedAt } = failed;
    const ids = {
      emissionId,
      appointmentId: emission.appointmentId,
      attempt,
      tookMs: now() - startedAt,
      traceparent: emission.traceparent,
    };
    const failedToEmit = `[InternalSocket] Failed to emit ${describeEmission(emission)}`;
    if (error instanceof DelayedError) {
      logPostponed(ids, error);
      return error;
    }
    if (error instanceof AppError && PERMANENT.has(error.code)) {
      // The line at level error follows when the queue has recorded the failure.
      flow.debug(
        { ...ids, code: error.code, error: error.message },
        `${failedToEmit}: no attempt can succeed`,
      );
      return new UnrecoverableError(failureReason(error));
    }
    if (isUnavailable(error)) {
      logUnavailable(ids, error);
      // Pauses this process only. A rate limit in Redis would stop workers whose servers answer, and would need Redis.
      await pause(UNAVAILABLE_PAUSE_MS);
      return new RateLimitError();
    }
    const reason = failureReason(error);
    flow.warn({ ...ids, error: reason }, `${failedToEmit}: attempt ${attempt} failed`);
    return new Error(reason);
  };
}

/**
 * The reason that the operator sees: a code of docs/reference/errors.md, and a text. MongoDB's own message is left out, since it
 * may quote a document.
 */
export function failureReason(error: unknown): string {
  if (error instanceof AppError) return `${error.code}: ${error.message}`;
  if (error instanceof Error && error.name.startsWith('Mongo')) {
    const { codeName } = error as { codeName?: unknown };
    return `DATABASE_ERROR: MongoDB did not return the appointment (${typeof codeName === 'string' ? codeName : error.name})`;
  }
  return `INTERNAL_ERROR: ${errorMessage(error)}`;
}
