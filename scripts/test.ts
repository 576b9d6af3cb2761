import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildPage } from './build-page.ts';
import { PROJECT_DIR } from './paths.mjs';
import { runInGroup } from './process/group.ts';
import { removeDeadTestRuns } from './process/run-dir.ts';
import type { Main } from './run.mjs';
import { SOURCE_CONDITION } from './source-args.mjs';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs jest with these arguments, and prints the counts as the last line. Resolves to jest's exit code. */
export const main: Main = async ({ signal, args }) => {
  await buildPage();
  signal.throwIfAborted();
  const jest = startJest(args);
  let counts: Counts | undefined;
  jest.on('message', (message) => (counts = message as Counts));
  const code = await runInGroup(jest, signal);
  // A signal ends jest without its teardown: what its run has started is ended here.
  await removeDeadTestRuns();
  if (signal.aborted) return 1;
  if (counts) {
    const { passed, failed, skipped } = counts;
    console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
  return code;
};

/** Starts jest in its own process group: Ctrl-C reaches this process only, which then ends the group. */
function startJest(args: string[]): ChildProcess {
  const nodeOptions = [process.env.NODE_OPTIONS, `--conditions=${SOURCE_CONDITION}`];
  const reporters = ['default', join(PROJECT_DIR, 'scripts', 'summary-reporter.mjs')];
  return spawn(
    process.execPath,
    [
      join(PROJECT_DIR, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...args,
      // Last: jest takes any word after this option for another reporter.
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
