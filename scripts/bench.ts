import { findCentrifugo, installCentrifugo } from '../bench/peers/install-centrifugo.ts';
import { runInTestRunDir } from './process/run-dir.ts';
import type { Main } from './run.mjs';
import { findJemalloc } from './services/jemalloc.ts';
import { findSecantusRs } from './services/secantus-rs.ts';

/**
 * Runs the benchmarks, with faster servers than those of npm start if they can be built here. With `--report` it only
 * writes the page, and starts nothing. With `--install-peers` it only installs the servers of the peers.
 */
export const main: Main = async ({ signal, args }) => {
  if (args.includes('--report')) {
    const { writePage } = await import('../bench/report/page.ts');
    await writePage();
    return 0;
  }
  if (args.includes('--install-peers')) {
    await installCentrifugo({ log: console.error });
    return 0;
  }
  const mongo = await findSecantusRs({ log: console.error });
  const jemalloc = await findJemalloc({ log: console.error });
  const centrifugo = findCentrifugo({ log: console.error });
  signal.throwIfAborted();
  return runInTestRunDir({
    entry: 'bench/main.ts',
    args,
    env: (dir) => ({
      BENCH_DIR: dir,
      ...(mongo && { BENCH_MONGO: mongo.file, BENCH_MONGO_NAME: mongo.name }),
      ...(jemalloc && { BENCH_REDIS_PRELOAD: jemalloc.file, BENCH_REDIS_ALLOCATOR: jemalloc.name }),
      ...(centrifugo && { BENCH_CENTRIFUGO: centrifugo.file, BENCH_CENTRIFUGO_NAME: centrifugo.name }),
    }),
    signal,
  });
};
