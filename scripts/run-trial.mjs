import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { PROJECT_DIR } from './paths.mjs';
import { endGroup } from './process/group.mjs';
import { run } from './process/run.mjs';
import { makeTestRunDir, removeDeadTestRuns, removeTestRunDir } from './process/run-dir.mjs';
import { abortOnSignals } from './start/stopping.mjs';
import { SOURCE_ARGS } from './source-args.mjs';

const STOP_GRACE_MS = 3_000;
const say = (/** @type {string} */ line) => console.log(line);

/**
 * Runs a program of `test/` that starts servers and processes of its own, with this command's arguments, in a process group
 * of its own; what it leaves behind is ended by the run's folder. Sets the exit code.
 * @param {string} command  as npm knows it
 * @param {string} program
 * @param {{ built?: boolean }} [options]  whether our processes run as they are built, not from their sources
 */
export async function runTrial(command, program, { built = false } = {}) {
  const signal = abortOnSignals({ say });
  try {
    await ensureInstalled({ log: say });
    await removeDeadTestRuns();
    if (built) await build();
    process.exitCode = await runProgram(program, signal, built ? { TEST_PROCESSES: 'built' } : {});
  } catch (error) {
    console.error(`npm run ${command} failed: ${/** @type {Error} */ (error).message}`);
    process.exitCode = 1;
  }
}

async function build() {
  const script = [join(PROJECT_DIR, 'scripts', 'build.mjs')];
  const built = await run(process.execPath, script, { cwd: PROJECT_DIR, onLine: say });
  if (!built.ok) throw new Error('the build failed');
}

/** @param {string} program @param {AbortSignal} signal @param {Record<string, string>} env */
async function runProgram(program, signal, env) {
  const dir = makeTestRunDir();
  const trial = spawn(process.execPath, [...SOURCE_ARGS, program, ...process.argv.slice(2)], {
    cwd: PROJECT_DIR,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env, TEST_RUN_DIR: dir },
  });
  signal.addEventListener('abort', () => void endGroup(trial.pid ?? 0, { graceMs: STOP_GRACE_MS }));
  try {
    const [code] = await once(trial, 'exit');
    return code ?? 1;
  } finally {
    await removeTestRunDir(dir);
  }
}
