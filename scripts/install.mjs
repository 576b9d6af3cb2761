import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { withLock } from './process/lock.mjs';
import { runNpm } from './run-npm.mjs';

const MODULES = join(PROJECT_DIR, 'node_modules');
const STAMP = join(MODULES, '.install-stamp');
const PROGRESS_EVERY_MS = 10_000;

/** @typedef {{ signal: AbortSignal, log: (line: string) => void }} InstallOptions */

/**
 * Installs what package-lock.json lists into node_modules. Returns at once if it is there already.
 * @param {InstallOptions} options
 */
export async function ensureInstalled({ signal, log }) {
  if (isStamped()) return;
  const task = async () => {
    if (isStamped()) return;
    if (!matchesLockFile()) await install({ signal, log });
    writeFileSync(STAMP, fingerprint());
  };
  await withLock(join(RUNTIME_DIR, 'locks', 'install.lock'), task, {
    signal,
    onWait: (pid) => log(`waiting for process ${pid}, which is installing them`),
  });
}

/** @param {InstallOptions} options */
async function install({ signal, log }) {
  log('installing (npm ci); the first time this takes about a minute');
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  const progress = setInterval(() => log(`  still installing, ${seconds()} s`), PROGRESS_EVERY_MS);
  let npm = await runNpm(['ci'], signal);
  // A lock file that was written behind a registry without, say, the packages for macOS omits them, and npm 11 refuses
  // it. `install --no-save` takes the same versions from it.
  if (/Missing: .* from lock file/.test(npm.excerpt)) npm = await runNpm(['install', '--no-save'], signal);
  clearInterval(progress);
  signal.throwIfAborted();
  if (!npm.ok)
    throw new Error(
      `npm could not install the packages. Check the network, the proxy and the disk.\n${npm.excerpt}`,
    );
  if (!matchesLockFile()) throw new Error('npm did not install what package-lock.json lists. Try: npm ci');
  log(`  done in ${seconds()} s`);
}

/** Whether node_modules holds the versions of the lock file, also if they were installed by hand. */
function matchesLockFile() {
  const wanted = packagesOf(join(PROJECT_DIR, 'package-lock.json'));
  const present = packagesOf(join(MODULES, '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (!path.includes('node_modules/')) return true; // the server and our own packages
    return present[path] ? present[path].version === version : optional === true;
  });
}

/** @param {string} lockFile @returns {Record<string, { version?: string, optional?: boolean }> | undefined} */
function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function isStamped() {
  try {
    return readFileSync(STAMP, 'utf8') === fingerprint();
  } catch {
    return false;
  }
}

/** Without Node's version: no package is compiled for one version. */
function fingerprint() {
  const lockFile = readFileSync(join(PROJECT_DIR, 'package-lock.json'));
  return `${createHash('sha256').update(lockFile).digest('hex')} ${process.platform} ${process.arch}`;
}
