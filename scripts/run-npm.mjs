import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';

/** npm itself tries one package after the other. If the network refuses connections, that takes many minutes. */
const FAILURES_WITHOUT_NETWORK = 4;
const EXCERPT_LINES = 30;
/** No package needs its install script. With NODE_ENV=production npm would omit what builds the page. */
const OPTIONS = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=http'].concat(
  '--fetch-retries=3',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=8000',
);

/**
 * Runs npm in the checkout. Never rejects.
 * @param {string[]} args  `['ci']`, or `['install']` with its options
 * @param {AbortSignal} signal  ends it
 * @returns {Promise<{ ok: boolean, excerpt: string }>} `excerpt`: the last lines of its output, for messages
 */
export function runNpm(args, signal) {
  const [file, ...first] = npmCommand();
  const child = spawn(file, [...first, ...args, ...OPTIONS], {
    cwd: PROJECT_DIR,
    env: npmEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGTERM',
  });
  /** @type {string[]} */
  const lines = [];
  let [answers, failures] = [0, 0];
  const onLine = (/** @type {string} */ line) => {
    const isRequest = line.startsWith('npm http');
    const isFailure = isRequest && / attempt \d+ failed with /.test(line);
    if (isFailure) failures += 1;
    else if (isRequest) answers += 1;
    if (answers === 0 && failures === FAILURES_WITHOUT_NETWORK) child.kill('SIGTERM');
    if (!isRequest || (isFailure && answers === 0)) lines.push(line);
    if (lines.length > EXCERPT_LINES) lines.shift();
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  return new Promise((resolve) => {
    child.once('error', ({ name, message }) => {
      // After an abort npm still has to end.
      if (name !== 'AbortError') resolve({ ok: false, excerpt: `${file}: ${message}` });
    });
    child.once('close', (code) => resolve({ ok: code === 0, excerpt: lines.join('\n') }));
  });
}

/** The npm that runs this script, else the one on PATH. @returns {[string, ...string[]]} */
function npmCommand() {
  const npmFile = process.env.npm_execpath;
  return npmFile?.endsWith('npm-cli.js') ? [process.execPath, npmFile] : ['npm'];
}

/** npm fails if it cannot write its cache, as in the home directory of a service account. */
function npmEnv() {
  const cache = process.env.npm_config_cache ?? join(homedir(), '.npm');
  try {
    mkdirSync(cache, { recursive: true });
    accessSync(cache, constants.W_OK);
    return process.env;
  } catch {
    return { ...process.env, npm_config_cache: join(RUNTIME_DIR, 'npm-cache') };
  }
}
