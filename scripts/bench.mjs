import './node-version.mjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ensureInstalled } from './install.mjs';
import { PROJECT_DIR } from './paths.mjs';
import { endGroup } from './process/group.mjs';
import { makeTestRunDir, removeDeadTestRuns, removeTestRunDir } from './process/run-dir.mjs';
import { findJemalloc } from './services/jemalloc.mjs';
import { findSecantusRs } from './services/secantus-rs.mjs';
import { abortOnSignals } from './start/stopping.mjs';
import { SOURCE_ARGS } from './source-args.mjs';

const STOP_GRACE_MS = 3_000;
const say = (/** @type {string} */ line) => console.error(line);
const signal = abortOnSignals({ say });

try {
  await ensureInstalled({ log: say });
  await removeDeadTestRuns();
  process.exitCode = await runBench();
} catch (error) {
  console.error(`npm run bench failed: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
}

/** In a process group of its own; what it leaves behind is ended by the run's folder. */
async function runBench() {
  const mongo = await findSecantusRs({ log: say });
  const jemalloc = await findJemalloc({ log: say });
  const dir = makeTestRunDir();
  const bench = spawn(process.execPath, [...SOURCE_ARGS, 'bench/main.ts', ...process.argv.slice(2)], {
    cwd: PROJECT_DIR,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      BENCH_DIR: dir,
      ...(mongo && { BENCH_MONGO: mongo.file, BENCH_MONGO_NAME: mongo.name }),
      ...(jemalloc && { BENCH_REDIS_PRELOAD: jemalloc.file, BENCH_REDIS_ALLOCATOR: jemalloc.name }),
    },
  });
  signal.addEventListener('abort', () => void endGroup(bench.pid ?? 0, { graceMs: STOP_GRACE_MS }));
  try {
    const [code] = await once(bench, 'exit');
    return code ?? 1;
  } finally {
    await removeTestRunDir(dir);
  }
}
