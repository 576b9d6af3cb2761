import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from '../paths.mjs';
import { command } from '../process/command.ts';

const DIR = join(RUNTIME_DIR, 'mongod');
const FAILURE_FILE = join(DIR, 'refused.json');
const FAILURE_VALID_MS = 24 * 3600 * 1000;
const FIRST_BYTE_WITHIN_MS = 5_000;
const STALLED_AFTER_MS = 30_000;
const CHECK_EVERY_MS = 500;

interface Download {
  /** The downloaded mongod. */
  file?: string | undefined;
  /** Why there is none. */
  reason?: string | undefined;
}

// Runs in another process, which can be killed if the network drops packets.
const DOWNLOAD = `
  import { MongoBinary } from 'mongodb-memory-server-core';
  const answer = await MongoBinary.getPath({ downloadDir: process.argv[1] }).then(
    (file) => ({ file }),
    (error) => ({ reason: error.msg ?? error.message }),
  );
  process.stdout.write('\\n' + JSON.stringify(answer), () => process.exit(0));
`;

/**
 * Downloads mongod once from MongoDB's own site, as mongodb-memory-server does. A failure is remembered for a day, so
 * that the next start does not wait for it.
 * @param retry ignores a remembered failure
 */
export async function downloadMongod({
  log,
  retry,
}: {
  log: (line: string) => void;
  retry: boolean;
}): Promise<Download> {
  const failure = retry ? undefined : readFailure();
  if (failure !== undefined) return { reason: failure };
  mkdirSync(DIR, { recursive: true });
  log('checking whether mongod can be downloaded');
  const { file, reason } = await download(log);
  if (file) rmSync(FAILURE_FILE, { force: true });
  else {
    log(`mongod cannot be downloaded (${reason})`);
    writeFileSync(FAILURE_FILE, JSON.stringify({ at: Date.now(), reason }));
  }
  return { file, reason };
}

async function download(log: (line: string) => void): Promise<Download> {
  const running = command(process.execPath, ['--input-type=module', '-e', DOWNLOAD, DIR], {
    cwd: PROJECT_DIR,
    env: {
      MONGOMS_MAX_RETRIES: '1',
      // By default mongodb-memory-server accepts any certificate and checks no sum.
      npm_config_strict_ssl: 'true',
      MONGOMS_MD5_CHECK: 'true',
      // Not into the home directory.
      MONGOMS_PREFER_GLOBAL_PATH: 'false',
    },
  });
  let stalled: string | undefined;
  const stopWatching = watchProgress(log, (reason) => {
    stalled = reason;
    running.kill('SIGKILL');
  });
  const { failed, stdout, exitCode } = await running;
  stopWatching();
  if (failed) return { reason: stalled ?? `the download ended with code ${exitCode ?? 'unknown'}` };
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n'))) as Download;
}

/** Logs every 10 MB, and calls `onStall` if no data arrives. */
function watchProgress(log: (line: string) => void, onStall: (reason: string) => void): () => void {
  const bytesAtStart = bytesDownloaded();
  let bytes = bytesAtStart;
  let lastGrowth = performance.now();
  let loggedMb = 0;
  const timer = setInterval(() => {
    const now = bytesDownloaded();
    if (now !== bytes) lastGrowth = performance.now();
    bytes = now;
    const patienceMs = bytes === bytesAtStart ? FIRST_BYTE_WITHIN_MS : STALLED_AFTER_MS;
    if (performance.now() - lastGrowth > patienceMs) onStall(`no data for ${patienceMs / 1000} s`);
    const mb = Math.floor(bytes / 1e7) * 10;
    if (mb > loggedMb) log(`  mongod: ${mb} MB`);
    loggedMb = Math.max(loggedMb, mb);
  }, CHECK_EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}

function bytesDownloaded(): number {
  return readdirSync(DIR).reduce(
    (sum, name) => sum + (statSync(join(DIR, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** The reason of a failure within the last day. */
function readFailure(): string | undefined {
  try {
    const { at, reason } = JSON.parse(readFileSync(FAILURE_FILE, 'utf8')) as { at: number; reason: string };
    const ageMs = Date.now() - at;
    return ageMs >= 0 && ageMs < FAILURE_VALID_MS ? reason : undefined;
  } catch {
    return undefined;
  }
}
