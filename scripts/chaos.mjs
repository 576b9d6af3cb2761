import './node-version.mjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { PROJECT_DIR } from './paths.mjs';
import { endGroup } from './process/group.mjs';
import { run } from './process/run.mjs';
import { makeTestRunDir, removeDeadTestRuns, removeTestRunDir } from './process/run-dir.mjs';
import { abortOnSignals } from './start/stopping.mjs';

const STOP_GRACE_MS = 3_000;
const say = (/** @type {string} */ line) => console.log(line);
const signal = abortOnSignals({ say });

try {
  await ensureInstalled({ log: say });
  await removeDeadTestRuns();
  const build = [join(PROJECT_DIR, 'scripts', 'build.mjs')];
  const built = await run(process.execPath, build, { cwd: PROJECT_DIR, onLine: say });
  if (!built.ok) throw new Error('the build failed');
  process.exitCode = await runChaos();
} catch (error) {
  console.error(`npm run chaos failed: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
}

/** In a process group of its own; what it leaves behind is ended by the run's folder. */
async function runChaos() {
  const dir = makeTestRunDir();
  const chaos = spawn(process.execPath, ['--import', 'tsx', 'test/chaos/main.ts', ...process.argv.slice(2)], {
    cwd: PROJECT_DIR,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TEST_RUN_DIR: dir, TEST_PROCESSES: 'built' },
  });
  signal.addEventListener('abort', () => void endGroup(chaos.pid ?? 0, { graceMs: STOP_GRACE_MS }));
  try {
    const [code] = await once(chaos, 'exit');
    return code ?? 1;
  } finally {
    await removeTestRunDir(dir);
  }
}
