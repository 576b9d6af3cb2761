import type { Logger } from './logger.ts';
import { errorMessage } from '../errors.ts';

export interface Running {
  close: () => Promise<void>;
  /** Resolves if a setting can never work. The process then ends with code 1. */
  unusable?: Promise<Error>;
}

interface RunOptions {
  /** Such as `the API`; part of the message if it does not start. */
  name: string;
  start: () => Running | Promise<Running>;
  logger: Logger;
  flushLogs: () => Promise<void>;
}

/** A process that stops during its start waits this long for the start to end. */
const START_ENDS_WITHIN_MS = 3_000;
const FLUSH_WITHIN_MS = 500;

/**
 * Starts a process and runs it until a signal arrives or its parent process ends, also during the start. Then closes
 * everything and exits. An uncaught error ends the process too: unfinished work stays in the queue.
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
    if (!(await closeInOrder(starting, logger))) exitCode = 1;
    await Promise.race([flushLogs(), afterMs(FLUSH_WITHIN_MS)]);
    process.exit(exitCode);
  };
  // Begins after the handlers below are attached.
  const starting = Promise.resolve()
    .then(start)
    .catch((error: unknown) => {
      logger.fatal({ error: stackOf(error) }, 'not started');
      console.error(`${name} did not start: ${errorMessage(error)}`);
      exitCode = 1;
      stop('the start failed');
      return undefined;
    });
  stopOnSignals(stop);
  stopOnCrash((error) => {
    // Only the first error is logged: it is the cause, and a timer can throw more until the end.
    if (exitCode === 0) logger.fatal({ error: stackOf(error) }, 'crashed');
    exitCode = 1;
    stop('crash');
  });
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

/** Resolves to false after an error. */
async function closeInOrder(starting: Promise<Running | undefined>, logger: Logger): Promise<boolean> {
  try {
    const running = await Promise.race([starting, afterMs(START_ENDS_WITHIN_MS)]);
    await running?.close();
    logger.info('stopped');
    return true;
  } catch (error) {
    logger.error({ error: errorMessage(error) }, 'not closed cleanly');
    return false;
  }
}

function stopOnSignals(stop: (why: string) => void): void {
  // Not once(): npm and a shell pass a signal on, and the second one would end the process while it closes.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  process.once('disconnect', () => {
    stop('the parent process is gone');
  });
}

function stopOnCrash(onCrash: (error: unknown) => void): void {
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : errorMessage(error);
}

function afterMs(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, undefined);
  });
}
