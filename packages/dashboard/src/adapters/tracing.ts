/**
 * Spans of shown appointment events, for OpenTelemetry.
 *
 * @packageDocumentation
 */
import {
  createTracing,
  emissionAttributes,
  isSampled,
  type TelemetryApi,
} from '@appointment-emissions/contracts';
import type { ShowTrace } from '../options.ts';

export interface TraceShownOptions {
  /** The module `@opentelemetry/api`. An SDK must be registered before. */
  api: TelemetryApi;
  /** Share of the live events with a sampled trace that are reported, 0 to 1. Default: 0.1. */
  share?: number;
}

/**
 * Reports the time from the arrival of an event until all listeners have shown it, as a child of the gateway's span. Returns
 * undefined if no SDK is registered.
 *
 * @example
 * ```ts
 * import * as api from '@opentelemetry/api';
 * connectDashboard({ url, getToken, trace: traceShown({ api, share: 0.01 }) });
 * ```
 */
export function traceShown({ api, share = 0.1 }: TraceShownOptions): ShowTrace | undefined {
  const tracing = createTracing(api, '@appointment-emissions/dashboard');
  if (!tracing) return undefined;
  const receivedAt = new WeakMap<object, number>();

  return {
    onReceived(event) {
      if (isSampled(event.meta.traceparent) && Math.random() < share) receivedAt.set(event, Date.now());
    },
    show(event, show) {
      const startTime = receivedAt.get(event);
      if (startTime === undefined) {
        show();
        return;
      }
      const { meta, payload } = event;
      const { _id: appointmentId, companyId } = payload.appointment;
      const span = tracing.start('show', {
        kind: 'consumer',
        parent: meta.traceparent,
        startTime,
        attributes: {
          ...emissionAttributes({ ...meta, appointmentId, companyId }),
          'emission.offset': meta.offset,
        },
      });
      span.run(show);
      span.end(undefined, Date.now());
    },
  };
}
