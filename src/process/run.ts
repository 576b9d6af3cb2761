import type { Logger } from './logger.ts';
import { errorMessage } from '../errors.ts';

export interface Running {
  close: () => Promise<void>;
  /** Resolves when a setting has been found that can never work: the process then ends with code 1. */
  unusable?: Promise<Error>;
}

interface RunOptions {
  /** `the API`: in the message where it does not start. */
  name: string;
  start: () => Running | Promise<Running>;
  logger: Logger;
  flushLogs: () => Promise<void>;
}

/** A start that waits for a server is not waited for longer. */
const START_ENDS_WITHIN_MS = 3_000;
const FLUSH_WITHIN_MS = 500;

/**
 * Starts a process and keeps it until it is told to stop (a signal, or a parent that is gone), also during the start.
 * Then closes what runs and ends. An error that no code caught ends it too: the queue keeps what is half done.
 */
export function runUntilStopped({ name, start, logger, flushLogs }: RunOptions): void {
  let stopping = false;
  let exitCode = 0;
  const stop = (why: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ why }, 'stopping');
    void end();
  };
  const end = async (): Promise<void> => {
    try {
      const running = await Promise.race([starting, afterMs(START_ENDS_WITHIN_MS)]);
      await running?.close();
      logger.info('stopped');
    } catch (error) {
      exitCode = 1;
      logger.error({ error: errorMessage(error) }, 'not closed in order');
    }
    await Promise.race([flushLogs(), afterMs(FLUSH_WITHIN_MS)]);
    process.exit(exitCode);
  };
  // Begins after the handlers below are attached.
  const starting = Promise.resolve()
    .then(start)
    .catch((error: unknown) => {
      logger.fatal({ error: error instanceof Error ? error.stack : errorMessage(error) }, 'not started');
      console.error(`${name} did not start: ${errorMessage(error)}`);
      exitCode = 1;
      stop('the start failed');
      return undefined;
    });
  const onCrash = (error: unknown): void => {
    // The first error is the cause; a timer may throw the next ones until the end.
    if (exitCode === 0) {
      logger.fatal({ error: error instanceof Error ? error.stack : errorMessage(error) }, 'crashed');
    }
    exitCode = 1;
    stop('crash');
  };
  // Not once: a second signal, as npm and a shell pass on, would end the process in the middle of its goodbye.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  process.once('disconnect', () => {
    stop('the parent process is gone');
  });
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);

  void starting
    .then((running) => running?.unusable)
    .then((error) => {
      if (error === undefined) return;
      logger.fatal({ error: error.message }, 'configuration not usable');
      console.error(error.message);
      exitCode = 1;
      stop('configuration not usable');
    });
}

function afterMs(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, undefined);
  });
}
