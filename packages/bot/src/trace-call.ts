import {
  createTracing,
  emissionAttributes,
  traceFields,
  type TelemetryApi,
  type Tracing,
} from '@appointment-emissions/contracts';
import type { AttemptResult } from './attempt-result.ts';
import type { Delivery } from './deliver.ts';
import type { LoggedCall } from './report.ts';
import type { DeliveryRequest } from './requests.ts';

type Deliver = (request: DeliveryRequest) => Promise<Delivery>;

/** A variable: bundlers do not look for the package, which is an optional peer. */
const API_PACKAGE = '@opentelemetry/api';

/**
 * Returns the function that runs a delivery. If the application has registered an OpenTelemetry SDK, the delivery is a span, whose
 * context is sent with the request; `fields` then has the ids for the log. The package is loaded with the first call.
 */
export function createTraceCall() {
  let loading: Promise<Tracing | undefined> | undefined;

  async function load(): Promise<Tracing | undefined> {
    try {
      return createTracing((await import(API_PACKAGE)) as TelemetryApi, '@appointment-emissions/bot');
    } catch {
      // The package is not installed.
      return undefined;
    }
  }

  return async (
    request: DeliveryRequest,
    { events, fields }: LoggedCall,
    deliver: Deliver,
  ): Promise<{ delivery: Delivery; fields: LoggedCall['fields'] }> => {
    const tracing = await (loading ??= load());
    if (!tracing) return { delivery: await deliver(request), fields };
    const [event] = events;
    const { batch } = fields;
    const isBatch = typeof batch === 'number';
    const span = tracing.start(isBatch ? 'emit batch' : `emit ${event ?? ''}`, {
      kind: 'producer',
      attributes: isBatch ? { 'emission.count': batch } : emissionAttributes({ ...fields, event }),
    });
    const { traceparent } = span;
    const traced = traceparent === undefined ? request : { ...request, traceparent };
    const delivery = await span.run(() => deliver(traced));
    const { result, via, attempts } = delivery;
    if (result.outcome === 'accepted') {
      span.end({ ...emissionAttributes(idsIn(result)), 'emission.via': via, 'emission.attempts': attempts });
    } else span.fail(result.outcome);
    return { delivery, fields: { ...fields, ...traceFields(traceparent) } };
  };
}

function idsIn(result: Extract<AttemptResult, { outcome: 'accepted' }>): { emissionId?: unknown } {
  const { body } = result.answer;
  return typeof body === 'object' && body !== null && 'emissionId' in body
    ? { emissionId: body.emissionId }
    : {};
}
