import type { AppointmentEvent } from '@appointment-emissions/contracts';
import type { Accepted, RequestContext, AcceptTiming } from './accept-emission.ts';
import type { Logger } from '../process/logger.ts';
import type { Metrics } from '../metrics/create-metrics.ts';

export interface RecordAcceptedDeps {
  metrics: Pick<Metrics, 'count' | 'observe'>;
  logger: Logger;
}

/** Counts what was accepted, and writes a line for each emission. What the emissions of a batch share is encoded once. */
export function createRecordAccepted({ metrics, logger }: RecordAcceptedDeps) {
  return (
    emissions: readonly Accepted[],
    { isRepeat, requestId, traceparent }: RequestContext,
    took: AcceptTiming,
  ) => {
    const shared = { requestId, traceparent, tookMs: took.ms, isRepeat };
    const lines = logger.child(shared);
    const counts = new Map<AppointmentEvent, number>();
    for (const { event, emissionId, appointmentId } of emissions) {
      counts.set(event, (counts.get(event) ?? 0) + 1);
      lines.info({ event, emissionId, appointmentId }, 'accepted');
    }
    if (took.isLive) metrics.observe('accept', took.ms);
    if (isRepeat) return;
    for (const [event, count] of counts) metrics.count(event, 'accepted', count);
  };
}
