import { context, propagation, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';

export type Sdk = ReturnType<typeof startSdk>;

/** Registers an SDK that keeps the spans of this process in memory. */
export function startSdk(sampler?: Sampler) {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(sampler && { sampler }),
  });
  provider.register();
  const all = (): ReadableSpan[] => exporter.getFinishedSpans();
  return {
    all,
    /** The finished spans of a trace. */
    of: (traceId: string) => all().filter((span) => span.spanContext().traceId === traceId),
    named: (name: string) => all().filter((span) => span.name === name),
    async stop() {
      trace.disable();
      context.disable();
      propagation.disable();
      await provider.shutdown();
    },
  };
}

/** What a test reads of a span, of this process or another. */
export interface SpanOfTree {
  name: string;
  spanId: string;
  parentId: string | undefined;
}

export function toTreeSpan(span: ReadableSpan): SpanOfTree {
  return {
    name: span.name,
    spanId: span.spanContext().spanId,
    parentId: span.parentSpanContext?.spanId,
  };
}

/** The names from the root to each span: `accept > add > process`. A span that was repeated counts once. */
export function pathsOf(spans: readonly SpanOfTree[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const pathOf = ({ name, parentId = '' }: SpanOfTree): string => {
    const parent = byId.get(parentId);
    return parent ? `${pathOf(parent)} > ${name}` : name;
  };
  return [...new Set(spans.map(pathOf))].sort();
}

/** The paths of a tree that is written by indentation of two spaces. */
export function pathsOfText(tree: string): string[] {
  const above: string[] = [];
  return tree
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const depth = (line.length - line.trimStart().length) / 2;
      above.splice(depth, above.length, line.trim());
      return above.join(' > ');
    })
    .sort();
}
