import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT_DIR } from '../paths.mjs';
import { endGroup, signalGroup } from '../process/group.mjs';
import { RECORD_FILE, writeRecord } from '../process/record.mjs';
import { SOURCE_ARGS } from '../source-args.mjs';

/** A bit more than they take themselves (SHUTDOWN_DEADLINE_MS) to answer requests and finish jobs. */
const STOP_GRACE_MS = 10_000;

/**
 * @typedef {object} App
 * @property {string} name
 * @property {string} logFile
 * @property {import('node:child_process').ChildProcess} process
 * @property {() => Promise<void>} stop
 * @property {() => Promise<void>} restart
 */

/**
 * Starts one of our TypeScript processes. What it prints goes to a file, its complaints to `onComplaint` as well.
 * The channel to it closes when this process dies, however that comes: then it ends by itself.
 * @param {{ name: string, entry: string, env: NodeJS.ProcessEnv, runtimeDir: string, onComplaint: (line: string) => void }} options
 * @returns {App}
 */
export function startApp({ name, entry, env, runtimeDir, onComplaint }) {
  const recordFile = join(runtimeDir, 'apps', name, RECORD_FILE);
  const logFile = join(runtimeDir, 'logs', `${name}.log`);
  mkdirSync(dirname(logFile), { recursive: true });
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);

  let child = launch();
  process.on('exit', () => !hasEnded(child) && signalGroup(child.pid ?? 0, 'SIGKILL'));
  return {
    name,
    logFile,
    get process() {
      return child;
    },
    stop,
    async restart() {
      await stop();
      child = launch();
    },
  };

  function launch() {
    const log = openSync(logFile, 'a');
    const started = spawn(process.execPath, [...SOURCE_ARGS, entry], {
      cwd: PROJECT_DIR,
      env,
      detached: true, // Ctrl-C reaches us; we tell them, in order
      stdio: ['ignore', log, 'pipe', 'ipc'],
    });
    closeSync(log);
    started.on('error', () => undefined);
    if (started.stderr) createInterface({ input: started.stderr }).on('line', onComplaint);
    if (started.pid !== undefined) writeRecord(recordFile, { name, pid: started.pid });
    return started;
  }

  async function stop() {
    if (!hasEnded(child)) {
      const exited = once(child, 'exit');
      await endGroup(child.pid ?? 0, { graceMs: STOP_GRACE_MS });
      await exited;
    }
    rmSync(recordFile, { force: true });
  }
}

function hasEnded(/** @type {import('node:child_process').ChildProcess} */ child) {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
