import './node-version.mjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buildPage } from './build-page.mjs';
import { ensureInstalled } from './install.mjs';
import { PROJECT_DIR } from './paths.mjs';
import { endGroup, signalGroup } from './process/group.mjs';
import { removeDeadTestRuns } from './process/run-dir.mjs';
import { endRunningCommands } from './process/run.mjs';
import { abortOnSignals } from './start/stopping.mjs';

const STOP_GRACE_MS = 3_000;
const say = (/** @type {string} */ line) => console.log(line);
const signal = abortOnSignals({ say });
signal.addEventListener('abort', endRunningCommands);

try {
  process.exitCode = await runTests();
} catch (error) {
  if (!signal.aborted) console.error(`npm test failed: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
}
process.exit();

/** @returns {Promise<number>} jest's exit code */
async function runTests() {
  await ensureInstalled({ log: say });
  await buildPage();
  signal.throwIfAborted();
  const jest = startJest(process.argv.slice(2));
  /** @type {{ passed: number, failed: number, skipped: number } | undefined} */
  let counts;
  jest.on('message', (message) => (counts = /** @type {any} */ (message)));
  const { pid = 0 } = jest;
  const endJest = () => endGroup(pid, { graceMs: STOP_GRACE_MS });
  signal.addEventListener('abort', endJest);
  process.once('exit', () => signalGroup(pid, 'SIGKILL'));
  const [code] = await once(jest, 'exit');
  // Jest skips its teardown when it is ended by a signal: then what its run started is ended here.
  signalGroup(pid, 'SIGKILL');
  await removeDeadTestRuns();
  if (signal.aborted) return 1;
  if (counts) {
    const { passed, failed, skipped } = counts;
    say(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
  return code ?? 1;
}

/** In a process group of its own: Ctrl-C reaches us, and we see to it that nothing stays behind. */
function startJest(/** @type {string[]} */ args) {
  const nodeOptions = [
    process.env.NODE_OPTIONS,
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
  ];
  const reporters = ['default', join(PROJECT_DIR, 'scripts', 'summary-reporter.mjs')];
  return spawn(
    process.execPath,
    [
      join(PROJECT_DIR, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...args,
      // Last: jest takes any word after this option for one more reporter.
      ...reporters.map((reporter) => `--reporters=${reporter}`),
    ],
    {
      cwd: PROJECT_DIR,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: nodeOptions.filter(Boolean).join(' ') },
    },
  );
}
