import type { AppointmentEvent } from '@appointment-emissions/contracts';
import type { AcceptedRequest, AcceptTiming, RequestContext } from './accept-emission.ts';
import { describeEmission } from '../domain/emission-log.ts';
import type { Logger } from '../process/logger.ts';
import type { Metrics } from '../metrics/create-metrics.ts';

export interface RecordAcceptedDeps {
  metrics: Pick<Metrics, 'count' | 'observe'>;
  logger: Logger;
}

/** Counts accepted emissions, and writes a log line for each. The fields that a batch's lines share are encoded once. */
export function createRecordAccepted({ metrics, logger }: RecordAcceptedDeps) {
  return (
    accepted: readonly AcceptedRequest[],
    { isRepeat, requestId, traceparent }: RequestContext,
    timing: AcceptTiming,
  ) => {
    const shared = { requestId, traceparent, tookMs: timing.ms, isRepeat };
    const lines = logger.child(shared);
    const counts = new Map<AppointmentEvent, number>();
    for (const { event, emissionId, appointmentId } of accepted) {
      counts.set(event, (counts.get(event) ?? 0) + 1);
      const message = `[InternalSocket] Accepted ${describeEmission({ event, appointmentId })}`;
      lines.info({ event, emissionId, appointmentId }, message);
    }
    if (timing.isLive) metrics.observe('accept', timing.ms);
    if (isRepeat) return;
    for (const [event, count] of counts) metrics.count(event, 'accepted', count);
  };
}
