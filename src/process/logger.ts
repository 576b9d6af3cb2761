import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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
  /** Whether its lines are kept, in words for the operator where they are not. */
  warnings: () => string[];
  close: () => Promise<void>;
} {
  const file = openFile(dir);
  const sinks = [createStdoutSink(process.stdout), file].filter((sink) => sink !== undefined);
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
    warnings: () => [
      ...(file ? [] : [`no log file can be opened in LOG_DIR (${dir}): lines go to standard output alone`]),
      ...[...dropping].map(
        (sink) => `log lines are dropped: ${sink} takes no more (disk full, or a pipe not read)`,
      ),
    ],
    close: async () => {
      clearInterval(tellDropped);
      gathered.pass();
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}

/** Step by step: where a folder can't be made, as below /proc, Node's recursive `mkdirSync` never returns. */
function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  makeFolder(dirname(dir));
  try {
    mkdirSync(dir);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(dir)) throw error;
  }
}

function openFile(dir: string): LogSink | undefined {
  try {
    makeFolder(resolve(dir));
    return createFileSink(join(dir, 'combined.log'));
  } catch (error) {
    process.stderr.write(`no log file in ${dir}: ${String(error)}\n`);
    return undefined;
  }
}
