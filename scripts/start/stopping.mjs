/** One Ctrl-C may reach us twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_WITHIN_MS = 1_000;
const LOOK_FOR_NPM_EVERY_MS = 500;

/**
 * Turns the signals that end a program into one AbortSignal. A second one, later than an echo of the first could
 * come, ends the process at once; children are killed on exit.
 * @param {{ say: (line: string) => void }} options
 * @returns {AbortSignal}
 */
export function abortOnSignals({ say }) {
  const controller = new AbortController();
  let firstAt = 0;
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        firstAt = performance.now();
        controller.abort(name);
      } else if (performance.now() - firstAt > SAME_SIGNAL_WITHIN_MS) {
        say('killing everything at once');
        process.exit(1);
      }
    });
  }
  // `kill <pid of npm>` ends npm and its shell, which passes nothing on to us.
  const { ppid } = process;
  const look = () => {
    if (process.ppid !== ppid && !controller.signal.aborted) controller.abort('npm is gone');
  };
  if (process.env.npm_lifecycle_event) setInterval(look, LOOK_FOR_NPM_EVERY_MS).unref();
  // The terminal may be gone already.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return controller.signal;
}
