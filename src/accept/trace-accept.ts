import {
  emissionAttributes,
  type OpenSpan,
  type StartSpanOptions,
  type Tracing,
} from '@appointment-emissions/contracts';
import { AppError, errorCode } from '../errors.ts';
import type { AcceptEmissions, RequestContext } from './accept-emission.ts';

/** Reports each accepted request, in the trace of its caller. Its jobs continue the trace. */
export function traceAccept(accept: AcceptEmissions, tracing: Tracing): AcceptEmissions {
  function start(
    name: string,
    { traceparent, isRepeat }: RequestContext,
    attributes: StartSpanOptions['attributes'],
  ): OpenSpan {
    const active = tracing.active();
    return tracing.start(name, {
      kind: 'server',
      // The application's own span of this request, if there is one, is already a child of the caller's.
      parent: isOfTrace(active, traceparent) ? active : traceparent,
      attributes: { ...attributes, 'emission.repeat': isRepeat },
    });
  }

  return {
    one(request, context) {
      const span = start(`accept ${request.event}`, context, emissionAttributes(request));
      return runIn(span, async () => {
        const emissionId = await accept.one(request, { ...context, traceparent: span.traceparent });
        span.end(emissionAttributes({ emissionId }));
        return emissionId;
      });
    },
    many(requests, context) {
      const span = start('accept batch', context, { 'emission.count': requests.length });
      return runIn(span, async () => {
        const emissionIds = await accept.many(requests, { ...context, traceparent: span.traceparent });
        span.end({ 'emission.accepted': emissionIds.filter((id) => id !== undefined).length });
        return emissionIds;
      });
    },
  };
}

/** The parts of a `traceparent` before and after the trace id have a fixed length. */
function isOfTrace(active: string | undefined, traceparent: string | undefined): boolean {
  return traceparent === undefined || active?.slice(3, 35) === traceparent.slice(3, 35);
}

async function runIn<T>(span: OpenSpan, run: () => Promise<T>): Promise<T> {
  try {
    return await span.run(run);
  } catch (error) {
    // The caller's mistake is no failure of the server.
    if (error instanceof AppError && error.status < 500) span.end({ 'emission.code': error.code });
    else span.fail(errorCode(error));
    throw error;
  }
}
