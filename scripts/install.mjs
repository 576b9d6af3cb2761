import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { withLock } from './process/lock.mjs';
import { runNpm } from './run-npm.mjs';

const MODULES = join(PROJECT_DIR, 'node_modules');
const STAMP = join(MODULES, '.install-stamp');
const STILL_AT_IT_EVERY_MS = 10_000;

/**
 * Makes node_modules what package-lock.json says. Returns at once where it is.
 * @param {{ log: (line: string) => void }} options
 */
export async function ensureInstalled({ log }) {
  if (isStamped()) return;
  const lock = join(RUNTIME_DIR, 'locks', 'install.lock');
  const onWait = (/** @type {number} */ pid) => log(`process ${pid} is installing them: waiting for it`);
  await withLock(
    lock,
    async () => {
      if (isStamped()) return;
      if (!matchesLockFile()) await install(log);
      writeFileSync(STAMP, fingerprint());
    },
    { onWait },
  );
}

/** @param {(line: string) => void} log */
async function install(log) {
  log('installing (npm ci); the first time this takes a minute or so');
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  const stillAtIt = setInterval(() => log(`  still installing, ${seconds()} s`), STILL_AT_IT_EVERY_MS);
  let npm = await runNpm('ci');
  // A lock file that was written behind a registry without, say, the packages for macOS leaves those out, and npm 11
  // refuses it. `install --no-save` takes the same versions from it.
  if (!npm.ok && /Missing: .* from lock file/.test(npm.excerpt)) npm = await runNpm('install', '--no-save');
  clearInterval(stillAtIt);
  if (!npm.ok) {
    throw new Error(
      `npm could not install the packages; often it is the network, a proxy or the disk.\n${npm.excerpt}`,
    );
  }
  if (!matchesLockFile()) throw new Error('npm has not installed what package-lock.json says. Try: npm ci');
  log(`  done in ${seconds()} s`);
}

/** Packages that were installed by hand count as well. */
function matchesLockFile() {
  const wanted = packagesOf(join(PROJECT_DIR, 'package-lock.json'));
  const present = packagesOf(join(MODULES, '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (!path.includes('node_modules/')) return true; // the server and our own packages
    return present[path] ? present[path].version === version : optional === true;
  });
}

/** @returns {Record<string, { version?: string, optional?: boolean }> | undefined} */
function packagesOf(/** @type {string} */ lockFile) {
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

/** Node's version has no part in it: no package here is compiled for one. */
function fingerprint() {
  const lockFile = readFileSync(join(PROJECT_DIR, 'package-lock.json'));
  return `${createHash('sha256').update(lockFile).digest('hex')} ${process.platform} ${process.arch}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await ensureInstalled({ log: (line) => console.log(line) });
  } catch (error) {
    console.error(`install failed: ${/** @type {Error} */ (error).message}`);
    process.exitCode = 1;
  }
}
