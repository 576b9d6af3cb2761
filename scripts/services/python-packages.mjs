import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../process/lock.mjs';
import { run } from '../process/run.mjs';
import { RUNTIME_DIR } from '../paths.mjs';

const CONSTRAINTS = join(import.meta.dirname, 'python-constraints.txt');

/**
 * @typedef {object} PythonEnvironment
 * @property {string} python  the interpreter
 * @property {string} packages  the folder that the packages lie in
 */

/**
 * @typedef {object} PythonWish
 * @property {string} name  of the environment's folder
 * @property {string[]} requirements  `name==version`
 * @property {boolean} [withDependencies]
 * @property {string} purpose  what it is good for, in messages
 * @property {string} otherwise  what else the reader can do
 * @property {(line: string) => void} log
 */

/**
 * Makes sure that the packages are installed in an environment of the project's own.
 * @param {PythonWish} wish
 * @returns {Promise<PythonEnvironment>}
 */
export async function ensurePythonPackages(wish) {
  const dir = join(RUNTIME_DIR, 'python', wish.name);
  const found = readStamp(dir, wish);
  if (found) return found;
  const lock = join(RUNTIME_DIR, 'locks', `python-${wish.name}.lock`);
  const onWait = (/** @type {number} */ pid) =>
    wish.log(`process ${pid} is installing ${wish.purpose}: waiting for it`);
  return withLock(lock, async () => readStamp(dir, wish) ?? (await install(dir, wish)), { onWait });
}

/** @returns {Promise<PythonEnvironment>} */
async function install(/** @type {string} */ dir, /** @type {PythonWish} */ wish) {
  const { requirements, withDependencies = true, purpose, log } = wish;
  log(`installing ${purpose} from the Python package index (${requirements.join(', ')})`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const { python, pipArgs } = await prepare(dir, wish);
  const args = ['-m', 'pip', 'install', ...pipArgs, '--only-binary', ':all:', '--progress-bar', 'off'];
  args.push('--disable-pip-version-check', '--no-input', '-c', CONSTRAINTS);
  if (!withDependencies) args.push('--no-deps');
  const onLine = (/** @type {string} */ line) => {
    const collecting = /^Collecting (\S+)/.exec(line)?.[1];
    if (collecting) log(`  ${collecting}`);
  };
  const pip = await run(python, [...args, ...requirements], { env: pythonEnv(), onLine });
  if (!pip.ok)
    throw new Error(`could not install ${purpose} with pip; ${wish.otherwise}. pip said:\n${pip.excerpt}`);
  const packages = await packagesFolder(dir, python, pipArgs.length > 0);
  // Written last: an installation that was interrupted has none and is begun anew.
  const stamp = { requirements, dir, python, interpreter: realpathSync(python), packages };
  writeFileSync(stampFile(dir), JSON.stringify(stamp));
  return { python, packages };
}

/** A virtual environment; where Python comes without that module, a plain folder. */
async function prepare(/** @type {string} */ dir, /** @type {PythonWish} */ { purpose, otherwise }) {
  const venv = await run('python3', ['-m', 'venv', dir], { env: pythonEnv() });
  const help = `to get ${purpose}, or ${otherwise}`;
  if (venv.missing) throw new Error(`there is no python3. Install it (apt-get install python3-venv) ${help}`);
  if (venv.ok) return { python: join(dir, 'bin', 'python3'), pipArgs: [] };
  const pip = await run('python3', ['-m', 'pip', '--version'], { env: pythonEnv() });
  if (!pip.ok)
    throw new Error(`python3 has neither venv nor pip. Install one (apt-get install python3-venv) ${help}`);
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.executable)'], { env: pythonEnv() });
  rmSync(dir, { recursive: true, force: true }); // what venv began
  mkdirSync(dir, { recursive: true });
  return { python: stdout.trim(), pipArgs: ['--target', join(dir, 'packages')] };
}

async function packagesFolder(
  /** @type {string} */ dir,
  /** @type {string} */ python,
  /** @type {boolean} */ isPlain,
) {
  if (isPlain) return join(dir, 'packages');
  const print = 'import sysconfig; print(sysconfig.get_path("platlib"))';
  return (await run(python, ['-c', print], { env: pythonEnv() })).stdout.trim();
}

/** @returns {PythonEnvironment | undefined} */
function readStamp(/** @type {string} */ dir, /** @type {PythonWish} */ { requirements }) {
  try {
    const stamp = JSON.parse(readFileSync(stampFile(dir), 'utf8'));
    const fits = stamp.dir === dir && String(stamp.requirements) === String(requirements);
    // After an upgrade of Python, or when the checkout was moved, the environment doesn't work any more.
    const works = realpathSync(stamp.python) === stamp.interpreter && existsSync(stamp.packages);
    return fits && works ? stamp : undefined;
  } catch {
    return undefined;
  }
}

function stampFile(/** @type {string} */ dir) {
  return join(dir, '.stamp');
}

/** The user's own Python settings must not change what ours finds. */
export function pythonEnv(/** @type {NodeJS.ProcessEnv} */ more = {}) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PYTHONNOUSERSITE: '1', PYTHONUNBUFFERED: '1', ...more };
  delete env.PYTHONHOME;
  if (more.PYTHONPATH === undefined) delete env.PYTHONPATH;
  return env;
}
