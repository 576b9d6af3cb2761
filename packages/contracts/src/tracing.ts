import type { AppointmentEvent } from './events.ts';
import { OBJECT_ID, TRACEPARENT } from './names.ts';

/**
 * The part of `@opentelemetry/api` that is used. Declared here, so that types compile where that package is not installed. `C` is
 * its `Context`.
 */
export interface TelemetryApi<C = unknown> {
  trace: {
    getTracerProvider(): object;
    getTracer(name: string): {
      startSpan(name: string, options?: TelemetrySpanOptions, context?: C): TelemetrySpan;
    };
    getSpanContext(context: C): TelemetrySpanContext | undefined;
    setSpanContext(context: C, spanContext: TelemetrySpanContext): C;
    setSpan(context: C, span: TelemetrySpan): C;
  };
  context: {
    active(): C;
    with<T>(context: C, run: () => T): T;
  };
  ROOT_CONTEXT: C;
}

/** A span's place in its trace. */
export interface TelemetrySpanContext {
  /** 32 lower-case hexadecimal characters. */
  traceId: string;
  /** 16 lower-case hexadecimal characters. */
  spanId: string;
  /** Bit 0: the trace is sampled. */
  traceFlags: number;
  isRemote?: boolean;
}

export type SpanAttributes = Record<string, string | number | boolean | undefined>;

interface TelemetrySpanOptions {
  kind?: number;
  attributes?: SpanAttributes;
  links?: { context: TelemetrySpanContext }[];
  /** Milliseconds since 1970. */
  startTime?: number;
}

interface TelemetrySpan {
  spanContext(): TelemetrySpanContext;
  isRecording(): boolean;
  setAttributes(attributes: SpanAttributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(endTime?: number): void;
}

/** OpenTelemetry's `SpanKind`. */
const SPAN_KINDS = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 } as const;

/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const STATUS_ERROR = 2;
const SAMPLED = 1;

/** Starts spans. Contexts are W3C `traceparent` texts: they pass through headers, jobs and messages. */
export interface Tracing {
  /** Starts a span that the caller ends. */
  start: (name: string, options: StartSpanOptions) => OpenSpan;
  /** The span of the code that is running, for example the application's own. */
  active: () => string | undefined;
}

export interface StartSpanOptions {
  kind: keyof typeof SPAN_KINDS;
  /** Default: the active span. `null` begins a new trace. */
  parent?: string | null | undefined;
  /** Spans of other traces, such as those whose emissions were read in one batch. */
  links?: readonly (string | undefined)[];
  attributes?: SpanAttributes;
  /** Milliseconds since 1970. Default: now. */
  startTime?: number;
}

export interface OpenSpan {
  /** Undefined if there is neither a span nor a parent, for example where the SDK suppresses tracing. */
  readonly traceparent: string | undefined;
  /** Whether the span is exported. If not, messages need not carry its context. */
  readonly isRecording: boolean;
  /** Runs `run` with this span as the active one. */
  run: <T>(run: () => T) => T;
  /** @param endTime  milliseconds since 1970; default: now */
  end: (attributes?: SpanAttributes, endTime?: number) => void;
  /** Ends the span as failed. @param reason  a code or a text without personal data */
  fail: (reason: string, attributes?: SpanAttributes) => void;
}

/**
 * Starts spans with the SDK that the application has registered. Returns undefined if there is none, so that a process without an
 * SDK does nothing for tracing. An SDK that throws loses its spans, and fails nothing else.
 * @param library  name of the instrumentation scope
 */
export function createTracing<C>(api: TelemetryApi<C>, library: string): Tracing | undefined {
  if (!hasSdk(api, library)) return undefined;
  const { trace, context } = api;
  const tracer = trace.getTracer(library);

  function startSpan(name: string, { kind, parent, links = [], attributes, startTime }: StartSpanOptions) {
    const remote = parseTraceparent(parent);
    const inherited = parent === null ? api.ROOT_CONTEXT : context.active();
    const options = {
      kind: SPAN_KINDS[kind],
      links: links.map(parseTraceparent).flatMap((linked) => (linked ? { context: linked } : [])),
      ...(attributes && { attributes }),
      ...(startTime !== undefined && { startTime }),
    };
    return tracer.startSpan(
      name,
      options,
      remote ? trace.setSpanContext(api.ROOT_CONTEXT, remote) : inherited,
    );
  }

  return {
    active: () => formatTraceparent(trace.getSpanContext(context.active())),
    start(name, options) {
      const span = orUndefined(() => startSpan(name, options));
      return {
        traceparent: orUndefined(() => formatTraceparent(span?.spanContext())) ?? options.parent ?? undefined,
        isRecording: orUndefined(() => span?.isRecording()) ?? false,
        run: (run) => (span ? context.with(trace.setSpan(context.active(), span), run) : run()),
        end(more, endTime) {
          orUndefined(() => {
            if (more) span?.setAttributes(more);
            span?.end(endTime);
          });
        },
        fail(reason, more) {
          orUndefined(() => {
            if (more) span?.setAttributes(more);
            span?.setStatus({ code: STATUS_ERROR, message: reason });
            span?.end();
          });
        },
      };
    },
  };
}

/** Samplers, processors and whole SDKs may be code of the application. */
function orUndefined<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

/** Until an SDK is registered, the API's own provider has nothing to pass calls on to. */
function hasSdk<C>({ trace }: TelemetryApi<C>, library: string): boolean {
  const provider = trace.getTracerProvider() as { getDelegateTracer?: (name: string) => unknown };
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer(library) !== undefined;
}

/** Returns the context that a `traceparent` names. Anything else is ignored: undefined. */
export function parseTraceparent(given: unknown): TelemetrySpanContext | undefined {
  if (typeof given !== 'string' || !TRACEPARENT.test(given)) return undefined;
  const [, traceId = '', spanId = '', flags = ''] = given.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true };
}

/** Returns undefined for a missing context, and for one without ids, which a process without an SDK has. */
export function formatTraceparent(context: TelemetrySpanContext | undefined): string | undefined {
  if (!context) return undefined;
  const text = `00-${context.traceId}-${context.spanId}-0${context.traceFlags & SAMPLED}`;
  return TRACEPARENT.test(text) ? text : undefined;
}

/** Whether the trace of this `traceparent` is sampled. False if it is malformed. */
export function isSampled(traceparent: unknown): traceparent is string {
  return parseTraceparent(traceparent)?.traceFlags === SAMPLED;
}

/** The ids in log lines of a process with an SDK, by the names that OpenTelemetry's log formats have. */
export function traceFields(traceparent: string | undefined): { trace_id?: string; span_id?: string } {
  const context = parseTraceparent(traceparent);
  return context ? { trace_id: context.traceId, span_id: context.spanId } : {};
}

/** Span attributes that identify an emission. They contain only ids: other text may be personal data. */
export function emissionAttributes(emission: {
  emissionId?: unknown;
  event?: AppointmentEvent | undefined;
  appointmentId?: unknown;
  companyId?: unknown;
}): SpanAttributes {
  return {
    'emission.event': emission.event,
    'emission.id': idOrNothing(EMISSION_ID, emission.emissionId),
    'emission.appointment_id': idOrNothing(OBJECT_ID, emission.appointmentId),
    'emission.company_id': idOrNothing(OBJECT_ID, emission.companyId),
  };
}

/** A UUID, or the id that the sweep or capture has derived from a row. */
const EMISSION_ID = /^[\w.:-]{1,200}$/;

function idOrNothing(pattern: RegExp, id: unknown): string | undefined {
  return typeof id === 'string' && pattern.test(id) ? id : undefined;
}
