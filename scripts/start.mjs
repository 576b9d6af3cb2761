import './node-version.mjs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { endRunningCommands } from './process/run.mjs';
import { startEverything } from './start/start-everything.mjs';
import { StartFailure } from './start/start-failure.mjs';
import { abortOnSignals } from './start/stopping.mjs';

/** Ctrl-C promises an end within 15 s. */
const STOP_WITHIN_MS = 14_000;

const say = (/** @type {string} */ line) => console.log(line);
const signal = abortOnSignals({ say });
/** What was started, newest last: each function ends one thing, or several at once. @type {(() => unknown)[]} */
const started = [];

const starting = startEverything({
  signal,
  say,
  started,
  // Another folder makes another instance: the test of npm start runs beside yours.
  runtimeDir: process.env.START_DIR || RUNTIME_DIR,
  envFile: join(PROJECT_DIR, '.env'),
});
const stopAsked = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
const outcome = await Promise.race([
  stopAsked.then(() => 0),
  starting.then(() => stopAsked).then(() => 0, report),
]);
process.exitCode = Number(outcome);

const late = setTimeout(() => {
  say('not everything ended in time: killing the rest');
  process.exit();
}, STOP_WITHIN_MS);
if (signal.aborted) {
  say(`\nstopping (${signal.reason})`);
  endRunningCommands();
  await Promise.race([starting.catch(() => undefined), delay(3_000)]);
}
for (const stop of started.reverse()) {
  try {
    await stop();
  } catch (error) {
    say(`while stopping: ${/** @type {Error} */ (error).message}`);
  }
}
clearTimeout(late);
if (signal.aborted) say('stopped');
process.exit();

/** @param {unknown} error @returns {number} the exit code */
function report(error) {
  if (signal.aborted) return 0;
  const { message, stack } = /** @type {Error} */ (error);
  console.error(
    `\nnpm start failed: ${error instanceof StartFailure ? message : process.env.DEBUG ? stack : message}`,
  );
  return 1;
}
