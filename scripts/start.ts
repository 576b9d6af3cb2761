import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import type { Main } from './run.mjs';
import { startEverything } from './start/start-everything.ts';

/** Ctrl-C ends everything within 15 s. */
const STOP_WITHIN_MS = 14_000;
/** How long a step of the start may take to notice that it is aborted. */
const ABORT_WITHIN_MS = 3_000;
const say = console.log;

/** Starts everything, and ends it when `signal` aborts. Resolves to 0, also after Ctrl-C during the start. */
export const main: Main = async ({ signal }) => {
  /** What was started, newest last: each function ends one process, or several at the same time. */
  const started: (() => unknown)[] = [];
  const starting = startEverything({
    signal,
    say,
    started,
    // Another folder makes another instance: the test of npm start runs beside a developer's own.
    runtimeDir: process.env.START_DIR || RUNTIME_DIR,
    envFile: join(PROJECT_DIR, '.env'),
  });
  const aborted = signal.aborted ? undefined : once(signal, 'abort');
  let exitCode = 0;
  try {
    await Promise.race([aborted, starting.then(() => aborted)]);
  } catch (error) {
    if (!signal.aborted) {
      const { message, stack } = error as Error;
      console.error(`\nnpm start failed: ${process.env.DEBUG ? stack : message}`);
      exitCode = 1;
    }
  }
  const late = setTimeout(() => {
    say('some processes did not end in time: killing them');
    process.exit(exitCode);
  }, STOP_WITHIN_MS);
  if (signal.aborted) {
    say(`\nstopping (${signal.reason})`);
    await Promise.race([starting.catch(() => undefined), delay(ABORT_WITHIN_MS)]);
  }
  await stopAll(started);
  clearTimeout(late);
  if (signal.aborted) say('stopped');
  return exitCode;
};

/** Ends everything that was started, newest first, even if a part fails to end. */
async function stopAll(started: (() => unknown)[]): Promise<void> {
  for (const stop of started.reverse()) {
    try {
      await stop();
    } catch (error) {
      say(`while stopping: ${(error as Error).message}`);
    }
  }
}
