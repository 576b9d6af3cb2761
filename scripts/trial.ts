import { join } from 'node:path';
import { build } from './build.ts';
import { PROJECT_DIR } from './paths.mjs';
import { runInTestRunDir } from './process/run-dir.ts';
import type { Main } from './run.mjs';
import { findBenchServers } from './services/bench-servers.ts';

/** Trials that run our processes from dist/, as production does; the others run them from their sources. */
const BUILT = ['chaos', 'capture', 'soak'];

/** Trials that measure, on the servers of the benchmarks. */
const MEASURING = ['growth'];

/** Runs a long program of `trials/`: `node scripts/run.mjs trial chaos --seconds 60`. */
export const main: Main = async ({ signal, args: [name = '', ...args] }) => {
  const isBuilt = BUILT.includes(name);
  if (isBuilt) await build({ log: console.log });
  const servers = MEASURING.includes(name) ? await findBenchServers({ log: console.error }) : {};
  signal.throwIfAborted();
  return runInTestRunDir({
    entry: `trials/${name}/main.ts`,
    args,
    env: (dir) => ({
      TEST_RUN_DIR: dir,
      BENCH_DIR: dir,
      ...servers,
      ...(isBuilt && { TEST_BUILD_DIR: join(PROJECT_DIR, 'dist') }),
    }),
    signal,
  });
};
