import type { AcceptedRequest, AcceptTiming, RequestContext } from './accept-emission.ts';
import { describeEmission } from '../domain/emission-log.ts';
import type { Logger } from '../process/logger.ts';
import type { Metrics } from '../metrics/create-metrics.ts';

export interface RecordAcceptedDeps {
  metrics: Pick<Metrics, 'count' | 'observe'>;
  logger: Logger;
}

/** Counts accepted emissions, and writes a log line for each. */
export function createRecordAccepted({ metrics, logger }: RecordAcceptedDeps) {
  return (
    accepted: readonly AcceptedRequest[],
    { isRepeat, requestId, traceparent }: RequestContext,
    { ms: tookMs, isLive }: AcceptTiming,
  ) => {
    for (const { event, emissionId, appointmentId } of accepted) {
      logger.info(
        { requestId, traceparent, tookMs, isRepeat, event, emissionId, appointmentId },
        `[InternalSocket] Accepted ${describeEmission({ event, appointmentId })}`,
      );
      if (!isRepeat) metrics.count(event, 'accepted');
    }
    if (isLive) metrics.observe('accept', tookMs);
  };
}
