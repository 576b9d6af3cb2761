/**
 * Runs one of the commands in this folder: `node scripts/run.mjs start`. It also works where node_modules is missing: it
 * installs the packages first, and then loads the command's TypeScript through tsx. All of this happens in one process,
 * so that signals and exit codes are not passed on. Only Node's own modules may be imported before the install.
 *
 * @typedef {(call: { signal: AbortSignal, args: string[] }) => Promise<number>} Main  a command: resolves to the exit
 *   code. `signal` aborts at SIGINT or SIGTERM.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js 20.19 or newer is required; this is ${process.versions.node}.`);
  process.exit(1);
}
// Imported after the check: an older Node could not load them, and would print a stack instead.
const { abortOnSignals } = await import('./stop-signal.mjs');
const { ensureInstalled } = await import('./install.mjs');

const [command = '', ...args] = process.argv.slice(2);
const signal = abortOnSignals();
try {
  await ensureInstalled({ signal, log: (line) => console.error(`Packages: ${line}`) });
  signal.throwIfAborted();
  if (command !== 'install') {
    const { register } = await import('tsx/esm/api');
    register();
    const { endCommands } = await import('./process/command.ts');
    signal.addEventListener('abort', endCommands);
    const { main } = /** @type {{ main: Main }} */ (await import(`./${command}.ts`));
    process.exitCode = await main({ signal, args });
  }
} catch (error) {
  const { message, stack } = /** @type {Error} */ (error);
  if (signal.aborted) console.error(`stopped (${signal.reason})`);
  else console.error(`\n${command} failed: ${process.env.DEBUG ? stack : message}`);
  // Ctrl-C is the usual way to end `npm start`.
  process.exitCode = signal.aborted && command === 'start' ? 0 : 1;
}
process.exit();
