import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from '../paths.mjs';

const DIR = join(RUNTIME_DIR, 'mongod');
const REFUSAL_FILE = join(DIR, 'refused.json');
const REFUSAL_COUNTS_FOR_MS = 24 * 3600 * 1000;
const FIRST_BYTE_WITHIN_MS = 5_000;
const STALLED_AFTER_MS = 30_000;

// In a process of its own, so that a network that swallows packets can be given up on.
const CHILD = `
  import { MongoBinary } from 'mongodb-memory-server-core';
  const answer = await MongoBinary.getPath({ downloadDir: process.argv[1] }).then(
    (file) => ({ file }),
    (error) => ({ reason: error.msg ?? error.message }),
  );
  process.stdout.write('\\n' + JSON.stringify(answer), () => process.exit(0));
`;

/**
 * Gets mongod from MongoDB's own download site, as mongodb-memory-server does, once. A refusal is remembered for a
 * day, so that the next start doesn't wait for it.
 * @param {{ log: (line: string) => void, forced: boolean }} options  `forced`: ask again in spite of a refusal
 * @returns {Promise<{ file?: string, reason?: string }>}
 */
export async function downloadMongod({ log, forced }) {
  const refusal = forced ? undefined : readRefusal();
  if (refusal) return { reason: refusal };
  mkdirSync(DIR, { recursive: true });
  log('looking whether mongod can be downloaded');
  const { file, reason } = await download(log);
  if (file) rmSync(REFUSAL_FILE, { force: true });
  else {
    log(`mongod can't be downloaded (${reason})`);
    writeFileSync(REFUSAL_FILE, JSON.stringify({ at: Date.now(), reason }));
  }
  return { file, reason };
}

/** @returns {Promise<{ file?: string, reason?: string }>} */
function download(/** @type {(line: string) => void} */ log) {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      MONGOMS_MAX_RETRIES: '1',
      // Its default is to trust any certificate and to check nothing.
      npm_config_strict_ssl: 'true',
      MONGOMS_MD5_CHECK: 'true',
      // Elsewhere than in the home directory.
      MONGOMS_PREFER_GLOBAL_PATH: 'false',
    };
    const args = ['--input-type=module', '-e', CHILD, DIR];
    const child = spawn(process.execPath, args, {
      cwd: PROJECT_DIR,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (said += chunk));
    /** @type {string | undefined} */
    let givenUp;
    const stopWatching = watch(log, (reason) => {
      givenUp = reason;
      child.kill('SIGKILL');
    });
    child.once('close', (code) => {
      stopWatching();
      if (code === 0) resolve(JSON.parse(said.slice(said.lastIndexOf('\n'))));
      else resolve({ reason: givenUp ?? `the download ended with code ${code}` });
    });
  });
}

/** Tells the download's progress, and gives it up when nothing comes. */
function watch(/** @type {(line: string) => void} */ log, /** @type {(reason: string) => void} */ giveUp) {
  let size = bytesSoFar();
  const sizeAtStart = size;
  let lastGrowth = performance.now();
  let toldMb = 0;
  const timer = setInterval(() => {
    const now = bytesSoFar();
    if (now !== size) lastGrowth = performance.now();
    size = now;
    const patienceMs = size === sizeAtStart ? FIRST_BYTE_WITHIN_MS : STALLED_AFTER_MS;
    if (performance.now() - lastGrowth > patienceMs) giveUp(`nothing came for ${patienceMs / 1000} s`);
    const mb = Math.floor(size / 1e7) * 10;
    if (mb > toldMb) log(`  mongod: ${mb} MB`);
    toldMb = Math.max(toldMb, mb);
  }, 500);
  return () => clearInterval(timer);
}

function bytesSoFar() {
  return readdirSync(DIR).reduce(
    (sum, name) => sum + (statSync(join(DIR, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** @returns {string | undefined} */
function readRefusal() {
  try {
    const { at, reason } = JSON.parse(readFileSync(REFUSAL_FILE, 'utf8'));
    const age = Date.now() - at;
    return age >= 0 && age < REFUSAL_COUNTS_FOR_MS ? reason : undefined;
  } catch {
    return undefined;
  }
}
