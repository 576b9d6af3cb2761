import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { createFileSink, createStdoutSink, gatherLines } from './log-sinks.ts';

export type { Logger };

export interface LoggerOptions {
  level: string;
  /** Folder of combined.log; created if missing. */
  dir: string;
  /** Number of files that are kept, with the current one; 0 writes to standard output alone. */
  maxFiles?: number;
  /** Size at which a file is renamed, in MB. */
  maxFileMb?: number;
  /** Process name, in every line. */
  name: string;
  /** Further fields of each line. */
  fields?: (() => object) | undefined;
}

const REPORT_DROPPED_INTERVAL_MS = 5_000;

/**
 * Writes JSON lines to standard output and `<dir>/combined.log`, which it rotates. Logging never stops the service: if the file or the pipe
 * cannot be written, lines are dropped, and `log lines dropped` with their number is logged to both.
 */
export function createLogger({ level, dir, maxFiles = 5, maxFileMb = 100, name, fields }: LoggerOptions): {
  logger: Logger;
  /** Warnings for the operator while lines are dropped. */
  warnings: () => string[];
  close: () => Promise<void>;
} {
  // If the reader has gone, lines are lost and the service continues.
  process.stderr.on('error', () => undefined);
  const sinks = [createStdoutSink(process.stdout)];
  if (maxFiles > 0) {
    const rotation = { maxBytes: maxFileMb * 1_000_000, maxFiles };
    sinks.push(createFileSink(join(dir, 'combined.log'), rotation));
  }
  const dropping = new Set<string>();
  const gathered = gatherLines(sinks);
  const logger = pino(
    {
      level,
      name,
      redact: { paths: ['req.headers', 'res.headers'], remove: true },
      ...(fields && { mixin: fields }),
    },
    gathered,
  );
  const reportDropped = setInterval(() => {
    for (const { name: sink, takeDropped } of sinks) {
      const lines = takeDropped();
      if (lines > 0) dropping.add(sink);
      else dropping.delete(sink);
      if (lines > 0) logger.warn({ sink, lines }, 'log lines dropped');
    }
  }, REPORT_DROPPED_INTERVAL_MS).unref();
  return {
    logger,
    warnings: () =>
      sinks
        .filter((sink) => sink.isFailing() || dropping.has(sink.name))
        .map(
          ({ name: sink }) =>
            `log lines are dropped: ${sink} cannot be written (disk full, LOG_DIR not writable, or a pipe not read)`,
        ),
    close: async () => {
      clearInterval(reportDropped);
      gathered.pass();
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}
