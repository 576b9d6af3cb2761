import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { createFileSink, createStdoutSink, gatherLines, type LogSink } from './log-sinks.ts';

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
  close: () => Promise<void>;
} {
  const sinks = [createStdoutSink(process.stdout), openFile(dir)].filter((sink) => sink !== undefined);
  const gathered = gatherLines(sinks);
  const logger = pino(
    { level, name, redact: { paths: ['req.headers', 'res.headers'], remove: true } },
    gathered,
  );
  const tellDropped = setInterval(() => {
    for (const { name: sink, takeDropped } of sinks) {
      const lines = takeDropped();
      if (lines > 0) logger.warn({ sink, lines }, 'log lines dropped');
    }
  }, TELL_DROPPED_EVERY_MS).unref();
  return {
    logger,
    close: async () => {
      clearInterval(tellDropped);
      gathered.pass();
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}

function openFile(dir: string): LogSink | undefined {
  try {
    mkdirSync(dir, { recursive: true });
    return createFileSink(join(dir, 'combined.log'));
  } catch (error) {
    process.stderr.write(`no log file in ${dir}: ${String(error)}\n`);
    return undefined;
  }
}
