import { SpanKind, type Telemetry } from 'bullmq';
import {
  formatTraceparent,
  type OpenSpan,
  parseTraceparent,
  type SpanAttributes,
  type TelemetryApi,
  type Tracing,
} from '@appointment-emissions/contracts';

export interface QueueTelemetry {
  /** BullMQ's hook: its queues and workers get it as an option. */
  telemetry: Telemetry;
  /**
   * Adds a job for an emission of this `traceparent`. A batch has one context for many emissions: each then begins a trace, with a
   * link to that of the batch.
   */
  addTraced: <T>(traceparent: string | undefined, isBatch: boolean, add: () => T) => T;
}

/** The part of OpenTelemetry's `Context` that is used. */
interface TelemetryContext {
  getValue: (key: symbol) => unknown;
  setValue: (key: symbol, value: unknown) => TelemetryContext;
}

export interface QueueTelemetryApi extends TelemetryApi<TelemetryContext> {
  createContextKey: (name: string) => symbol;
}

type Hook = Telemetry<TelemetryContext>;
type HookSpan = ReturnType<Hook['tracer']['startSpan']>;
type HookAttributes = Parameters<HookSpan['setAttributes']>[0];

/** BullMQ's attributes that our spans keep. The others are times and options. */
const ATTRIBUTES = new Set([
  'bullmq.queue.name',
  'bullmq.job.id',
  'bullmq.job.name',
  'bullmq.job.attempts.made',
]);
const FAILED_REASON = 'bullmq.job.failed.reason';

/** The emission that {@link QueueTelemetry.addTraced} adds a job for. */
interface Added {
  traceparent: string | undefined;
  isBatch: boolean;
}

/**
 * BullMQ's own telemetry hook, for two of its spans: `add …`, and `process …` as a child of it in the worker. BullMQ keeps the
 * context of `add …` in the job. It would also report each poll and each renewed lock: these spans are left out, as are those of
 * jobs without a trace, such as canaries.
 */
export function createQueueTelemetry(api: QueueTelemetryApi, tracing: Tracing): QueueTelemetry {
  const { trace, context, ROOT_CONTEXT } = api;
  const addedKey = api.createContextKey('added emission');

  function withSpan(on: TelemetryContext, traceparent: unknown): TelemetryContext {
    const spanContext = parseTraceparent(traceparent);
    return spanContext ? trace.setSpanContext(on, spanContext) : on;
  }
  const toHookSpan = (span: OpenSpan): HookSpan =>
    createHookSpan(span, (on) => withSpan(on, span.traceparent));

  /** @param on  the context that `addTraced` made */
  function startAdd(name: string, on: TelemetryContext): HookSpan {
    const { traceparent, isBatch } = (on.getValue(addedKey) ?? {}) as Partial<Added>;
    if (traceparent === undefined) return NO_SPAN;
    const place = isBatch ? { parent: null, links: [traceparent] } : { parent: traceparent };
    return toHookSpan(tracing.start(name, { kind: 'producer', ...place }));
  }

  /** @param job  the context of the job; undefined if it has none */
  function startProcess(name: string, job: TelemetryContext | undefined): HookSpan {
    const parent = job && formatTraceparent(trace.getSpanContext(job));
    // The code that started the worker may have a span. It is not the parent of the job.
    if (parent === undefined) return { ...NO_SPAN, setSpanOnContext: () => ROOT_CONTEXT };
    return toHookSpan(tracing.start(name, { kind: 'consumer', parent }));
  }

  const telemetry: Hook = {
    tracer: {
      startSpan(name, options, on) {
        if (options?.kind === SpanKind.PRODUCER) return startAdd(name, on ?? context.active());
        return options?.kind === SpanKind.CONSUMER ? startProcess(name, on) : NO_SPAN;
      },
    },
    contextManager: {
      with: (on: TelemetryContext, run) => context.with(on, run as unknown as () => never),
      active: () => context.active(),
      root: () => ROOT_CONTEXT,
      getMetadata: (of: TelemetryContext) => formatTraceparent(trace.getSpanContext(of)) ?? '',
      // From Redis: it may be anything.
      fromMetadata: (_active, metadata: unknown) => withSpan(ROOT_CONTEXT, metadata),
    },
  };

  return {
    telemetry,
    addTraced: (traceparent, isBatch, add) =>
      context.with(ROOT_CONTEXT.setValue(addedKey, { traceparent, isBatch } satisfies Added), add),
  };
}

/** Reports a span of BullMQ. It fails if the attempt failed. */
function createHookSpan(
  span: OpenSpan,
  setSpanOnContext: (on: TelemetryContext) => TelemetryContext,
): HookSpan {
  const attributes: SpanAttributes = {};
  let failedReason: string | undefined;
  return {
    ...NO_SPAN,
    setSpanOnContext,
    setAttributes(given) {
      Object.assign(attributes, selectAttributes(given));
    },
    addEvent(_name, given) {
      const reason = given?.[FAILED_REASON];
      if (typeof reason === 'string') failedReason = reason;
    },
    end() {
      if (failedReason === undefined) span.end(attributes);
      else span.fail(failedReason, attributes);
    },
  };
}

/** A span that records nothing. */
const NO_SPAN: HookSpan = {
  setSpanOnContext: (on: TelemetryContext) => on,
  setAttribute: () => undefined,
  setAttributes: () => undefined,
  addEvent: () => undefined,
  recordException: () => undefined,
  end: () => undefined,
};

function selectAttributes(given: HookAttributes): SpanAttributes {
  return Object.fromEntries(Object.entries(given).filter(([key]) => ATTRIBUTES.has(key))) as SpanAttributes;
}
