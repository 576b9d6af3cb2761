import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { run } from './process/run.mjs';

/** npm itself tries one package after the other, which on a refused network takes many minutes. */
const FAILURES_MEAN_NO_NETWORK = 4;

/**
 * Has npm install the packages.
 * @param {...string} command  `ci`, or `install` with its options
 */
export async function runNpm(...command) {
  // Nothing here needs a package's install script. NODE_ENV=production must not leave out what builds the page.
  const args = [
    ...command,
    '--ignore-scripts',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=http',
  ];
  args.push('--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=8000');
  const giveUp = new AbortController();
  const onLine = watchNetwork(() => giveUp.abort());
  const options = { cwd: PROJECT_DIR, env: npmEnv(), onLine, signal: giveUp.signal };
  const npmFile = process.env.npm_execpath;
  const npm = npmFile?.endsWith('npm-cli.js')
    ? await run(process.execPath, [npmFile, ...args], options)
    : await run('npm', args, options);
  if (npm.missing) return { ...npm, excerpt: 'there is no npm on PATH' };
  return giveUp.signal.aborted ? { ...npm, excerpt: `${onLine.lastFailure()}\n${npm.excerpt}` } : npm;
}

/** Watches the requests that npm tells of. @param {() => void} giveUp */
function watchNetwork(giveUp) {
  let answers = 0;
  let failures = 0;
  let lastFailure = '';
  const onLine = (/** @type {string} */ line) => {
    if (!line.startsWith('npm http')) return undefined;
    if (/ attempt \d+ failed with /.test(line)) {
      failures += 1;
      lastFailure = line;
    } else answers += 1;
    if (answers === 0 && failures >= FAILURES_MEAN_NO_NETWORK) giveUp();
    return 'leave out';
  };
  return Object.assign(onLine, { lastFailure: () => lastFailure });
}

/** npm gives up where its cache can't be written, as in the home directory of a service account. */
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
