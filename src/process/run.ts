import type { Logger } from './logger.ts';
import { messageOf } from '../errors.ts';

export interface Running {
  close: () => Promise<void>;
  /** Resolves when a setting has been found that can never work: the process then ends with code 1. */
  unusable?: Promise<Error>;
}

/**
 * Keeps a process until it is told to stop (SIGTERM, SIGINT, or a parent that is gone), then closes what runs and
 * ends. An error that nobody caught ends it too: what is half done is found again by the queue.
 */
export function runUntilStopped(running: Running, logger: Logger, flushLogs: () => Promise<void>): void {
  let stopping = false;
  const stop = (why: string, exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ why }, 'stopping');
    const end = async (): Promise<void> => {
      await running.close();
      logger.info('stopped');
      await Promise.race([flushLogs(), new Promise((resolve) => setTimeout(resolve, 500))]);
      process.exit(exitCode);
    };
    void end();
  };
  // Not once: a second signal, as npm and a shell pass on, would end the process in the middle of its goodbye.
  process.on('SIGTERM', () => {
    stop('SIGTERM', 0);
  });
  process.on('SIGINT', () => {
    stop('SIGINT', 0);
  });
  process.once('disconnect', () => {
    stop('the parent process is gone', 0);
  });
  void running.unusable?.then((error) => {
    logger.fatal({ error: error.message }, 'configuration not usable');
    stop('configuration not usable', 1);
  });
  const onCrash = (error: unknown): void => {
    logger.fatal({ error: error instanceof Error ? error.stack : messageOf(error) }, 'crashed');
    stop('crash', 1);
  };
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);
}
