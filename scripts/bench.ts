import { installCentrifugo } from '../bench/peers/install-centrifugo.ts';
import { installSockudo } from '../bench/peers/install-sockudo.ts';
import { runInTestRunDir } from './process/run-dir.ts';
import type { Main } from './run.mjs';
import { findBenchServers } from './services/bench-servers.ts';

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
    await installSockudo({ log: console.error });
    return 0;
  }
  const servers = await findBenchServers({ log: console.error });
  signal.throwIfAborted();
  return runInTestRunDir({
    entry: 'bench/main.ts',
    args,
    env: (dir) => ({ BENCH_DIR: dir, ...servers }),
    signal,
  });
};
