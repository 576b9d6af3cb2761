/** One Ctrl-C can arrive twice: from the terminal, and from npm. */
const SAME_SIGNAL_WITHIN_MS = 1_000;
const CHECK_PARENT_EVERY_MS = 500;

/**
 * Turns the signals that end a program into one AbortSignal. A second signal, if it is not an echo of the first, ends
 * the process at once; its children are killed on exit.
 */
export function abortOnSignals() {
  const controller = new AbortController();
  let firstAt = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        firstAt = performance.now();
        controller.abort(name);
      } else if (performance.now() - firstAt > SAME_SIGNAL_WITHIN_MS) {
        console.error('killing everything at once');
        process.exit(1);
      }
    });
  }
  // `kill <pid of npm>` ends npm and its shell, and neither passes the signal on.
  const { ppid } = process;
  const checkParent = () => {
    if (process.ppid !== ppid && !controller.signal.aborted) controller.abort('npm has ended');
  };
  if (process.env.npm_lifecycle_event) setInterval(checkParent, CHECK_PARENT_EVERY_MS).unref();
  // The terminal may be closed already.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return controller.signal;
}
