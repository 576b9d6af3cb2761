import { createRequire } from 'node:module';
import { createTracing, traceFields, type Tracing } from '@appointment-emissions/contracts';
import { createQueueTelemetry, type QueueTelemetry, type QueueTelemetryApi } from './queue-telemetry.ts';

/** Tracing of a process with an OpenTelemetry SDK. */
export interface ServerTracing extends Tracing, QueueTelemetry {
  /** Fields for each log line: the ids of the active span. */
  logFields: () => object;
  /** Sends the finished spans. Called when the process ends. */
  flush: () => Promise<void>;
}

const LIBRARY = 'appointment-emission-pipeline';

/**
 * Returns undefined if `@opentelemetry/api` is not installed, or if no SDK is registered yet: then nothing is traced. An SDK is
 * registered before the process starts, with `node --import ./tracing.mjs`.
 */
export function loadTracing(): ServerTracing | undefined {
  const api = loadApi();
  const tracing = api && createTracing(api, LIBRARY);
  if (!tracing) return undefined;
  return {
    ...tracing,
    ...createQueueTelemetry(api, tracing),
    logFields: () => traceFields(tracing.active()),
    async flush() {
      const provider = api.trace.getTracerProvider() as { getDelegate?: () => Flushable };
      await provider.getDelegate?.().forceFlush?.();
    },
  };
}

/** The SDK's provider of tracers. */
interface Flushable {
  forceFlush?: () => Promise<void>;
}

/** A synchronous `require`, since processes are composed synchronously. The package is an optional peer. */
function loadApi(): QueueTelemetryApi | undefined {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api') as QueueTelemetryApi;
  } catch {
    return undefined;
  }
}
