import {
  emissionAttributes,
  isAppointmentEvent,
  isSampled,
  type Tracing,
} from '@appointment-emissions/contracts';
import type { Broadcast } from './read-broadcast.ts';

/**
 * Begins to report that this gateway writes a message to its dashboards; returns the function that ends it. The message then
 * carries the context of this span, so that a dashboard's span becomes its child.
 */
export type TraceDelivery = (broadcast: Broadcast, dashboards: number) => (() => void) | undefined;

/** A message without a valid context is written without a span, as is one for no dashboard of this gateway. */
export function createTraceDelivery(tracing: Tracing): TraceDelivery {
  return ([, { data }], dashboards) => {
    const [event, payload, meta] = data;
    const fields = fieldsOf(meta);
    const { traceparent, emissionId } = fields;
    if (dashboards === 0 || !isSampled(traceparent) || !isAppointmentEvent(event)) return undefined;
    const { _id: appointmentId, companyId } = fieldsOf(fieldsOf(payload)['appointment']);
    const span = tracing.start('deliver', {
      kind: 'consumer',
      parent: traceparent,
      attributes: {
        ...emissionAttributes({ emissionId, event, appointmentId, companyId }),
        'emission.dashboards': dashboards,
      },
    });
    fields['traceparent'] = span.traceparent;
    return () => {
      span.end();
    };
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
