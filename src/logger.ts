import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

export interface LoggerOptions {
  level: string;
  /** Folder of combined.log; made where it is missing. */
  dir: string;
  /** Process name, in every line. */
  name: string;
}

/**
 * Writes JSON lines to standard output and `<dir>/combined.log`. Logging never stops the service: where a file or a
 * pipe takes no more, lines are dropped and the process goes on.
 */
export function createLogger({ level, dir, name }: LoggerOptions): {
  logger: Logger;
  close: () => Promise<void>;
} {
  const targets = [openQuietly(1), openFile(dir)].filter((stream) => stream !== undefined);
  const logger = pino(
    { level, name, redact: { paths: ['req.headers', 'res.headers'], remove: true } },
    pino.multistream(targets.map((stream) => ({ level: level as pino.Level, stream }))),
  );
  return {
    logger,
    close: async () => {
      await Promise.all(targets.map(flush));
    },
  };
}

type Destination = ReturnType<typeof pino.destination>;

function openFile(dir: string): Destination | undefined {
  try {
    mkdirSync(dir, { recursive: true });
    return openQuietly(join(dir, 'combined.log'));
  } catch (error) {
    process.stderr.write(`no log file in ${dir}: ${String(error)}\n`);
    return undefined;
  }
}

function openQuietly(dest: string | number): Destination {
  const stream = pino.destination({ dest, sync: false, minLength: 0, maxLength: 4 * 1024 * 1024 });
  stream.on('error', () => undefined);
  return stream;
}

function flush(stream: Destination): Promise<void> {
  return new Promise((resolve) => {
    stream.flush(() => {
      resolve();
    });
  });
}

export type LogStream = DestinationStream;
