import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { createFileSink, createStdoutSink, gatherLines } from './log-sinks.ts';

export type { Logger };

export interface LoggerOptions {
  level: string;
  /** Folder of combined.log; made where it is missing. */
  dir: string;
  /** Process name, in every line. */
  name: string;
}

const TELL_DROPPED_EVERY_MS = 5_000;

/**
 * Writes JSON lines to standard output and `<dir>/combined.log`. Logging never stops the service: where a file or a
 * pipe takes no more, lines are dropped and the process goes on. How many is told to whichever of the two takes lines.
 */
export function createLogger({ level, dir, name }: LoggerOptions): {
  logger: Logger;
  /** Whether its lines are kept, in words for the operator where they are not. */
  warnings: () => string[];
  close: () => Promise<void>;
} {
  // A reader that is gone: what goes to standard error is lost, the service goes on.
  process.stderr.on('error', () => undefined);
  const sinks = [createStdoutSink(process.stdout), createFileSink(join(dir, 'combined.log'))];
  const dropping = new Set<string>();
  const gathered = gatherLines(sinks);
  const logger = pino(
    { level, name, redact: { paths: ['req.headers', 'res.headers'], remove: true } },
    gathered,
  );
  const tellDropped = setInterval(() => {
    for (const { name: sink, takeDropped } of sinks) {
      const lines = takeDropped();
      if (lines > 0) dropping.add(sink);
      else dropping.delete(sink);
      if (lines > 0) logger.warn({ sink, lines }, 'log lines dropped');
    }
  }, TELL_DROPPED_EVERY_MS).unref();
  return {
    logger,
    warnings: () =>
      sinks
        .filter((sink) => sink.isFailing() || dropping.has(sink.name))
        .map(
          ({ name: sink }) =>
            `log lines are dropped: ${sink} takes no more (disk full, LOG_DIR not writable, or a pipe not read)`,
        ),
    close: async () => {
      clearInterval(tellDropped);
      gathered.pass();
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}
