import type { AppointmentEvent } from '@appointment-emissions/contracts';
import { describeEmission, type NamedEmission } from '../domain/emission-log.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Metrics } from '../metrics/create-metrics.ts';
import type { Logger } from '../process/logger.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import type { AcceptedRequest, AcceptTiming, RequestContext } from './accept-emission.ts';

/** Counts accepted emissions, and writes a log line for each. */
export function createRecordAccepted({ metrics, logger }: { metrics: Metrics; logger: Logger }) {
  return (
    accepted: readonly AcceptedRequest[],
    { isRepeat, requestId, traceparent }: RequestContext,
    { ms: tookMs, queue }: AcceptTiming,
  ) => {
    const counts = new Map<AppointmentEvent, number>();
    for (const { event, emissionId, appointmentId } of accepted) {
      counts.set(event, (counts.get(event) ?? 0) + 1);
      logger.info(
        { requestId, traceparent, tookMs, isRepeat, event, emissionId, appointmentId },
        `[InternalSocket] Accepted ${describeEmission({ event, appointmentId })}`,
      );
      if (isRepeat) metrics.repeated();
    }
    if (!isRepeat) for (const [event, n] of counts) metrics.count(event, 'accepted', n, queue);
    if (queue === 'live') metrics.observe('accept', tookMs);
  };
}

/** A request for an emission that was refused, or an item of a batch. */
export interface Refusal extends NamedEmission {
  code: ErrorCode;
  /** HTTP status. */
  status: number;
  /** Text of the answer. */
  detail?: string | undefined;
  /** Identifies the request, and the caller by the fingerprint of its key. */
  requestId?: string | undefined;
  key?: string | undefined;
}

export type LogRefused = (refusal: Refusal) => void;

/** A caller without a valid key, or above its limit, can send any number of requests: their lines are throttled. */
const THROTTLED: ReadonlySet<ErrorCode> = new Set(['API_KEY_MISSING', 'API_KEY_WRONG', 'RATE_LIMITED']);

/**
 * Logs a refused emission, so that an operator who searches for an appointment finds the refusal too:
 * `[InternalSocket] Failed to emit appointment:created for <id>`, with code, status and the text of the answer.
 */
export function createLogRefused(logger: Logger): LogRefused {
  const throttled = createThrottledLog(logger, '[InternalSocket] Failed to emit: the caller was refused');
  return ({ code, status, detail, event, appointmentId, requestId, key }) => {
    const fields = { event, appointmentId, code, status, requestId, key };
    if (THROTTLED.has(code)) {
      throttled(fields, new AppError(code, detail ?? code));
      return;
    }
    const level = status >= 500 ? 'error' : 'warn';
    logger[level](
      { ...fields, error: detail },
      `[InternalSocket] Failed to emit ${describeEmission({ event, appointmentId })}`,
    );
  };
}
