import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../process/deadline.mjs';
import { endGroup, signalGroup } from '../process/group.mjs';
import { RECORD_FILE, writeRecord } from '../process/record.mjs';

const READY_WITHIN_MS = 30_000;
const STOP_GRACE_MS = 8_000;
const LAST_LINES = 15;

/** @typedef {import('./service.mjs').ServiceSpec} ServiceSpec */

/** @type {typeof import('./service.mjs').startService} */
export async function startService(spec) {
  const { name, dir, port, url } = spec;
  const recordFile = join(dir, RECORD_FILE);
  const logFile = join(dir, `${name}.log`);
  mkdirSync(dir, { recursive: true });
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);

  const killAtExit = () => !hasEnded(child) && signalGroup(pidOf(child), 'SIGKILL');
  let child = launch(spec, logFile, recordFile);
  process.on('exit', killAtExit);
  try {
    await ready(spec, child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    url,
    port,
    dir,
    logFile,
    get pid() {
      return pidOf(child);
    },
    get process() {
      return child;
    },
    stop,
    kill,
    restart,
  };

  async function stop() {
    process.off('exit', killAtExit);
    if (!hasEnded(child)) {
      const exited = once(child, 'exit');
      await endGroup(pidOf(child), { graceMs: STOP_GRACE_MS });
      await exited;
    }
    rmSync(recordFile, { force: true });
  }

  /** @param {NodeJS.Signals} [signal] */
  async function kill(signal = 'SIGKILL') {
    if (hasEnded(child)) return;
    const exited = signal === 'SIGKILL' ? once(child, 'exit') : undefined;
    signalGroup(pidOf(child), signal);
    await exited;
  }

  async function restart() {
    await stop();
    child = launch(spec, logFile, recordFile);
    process.on('exit', killAtExit);
    await ready(spec, child, logFile);
  }
}

/** @returns {import('node:child_process').ChildProcess} */
function launch(
  /** @type {ServiceSpec} */ spec,
  /** @type {string} */ logFile,
  /** @type {string} */ recordFile,
) {
  const { name, dir, port, command, args, env } = spec;
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { cwd: dir, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.on('error', () => undefined); // no such file: `ready` sees that there is no pid
  if (child.pid !== undefined) writeRecord(recordFile, { name, pid: child.pid, port });
  return child;
}

/**
 * @param {ServiceSpec} spec
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} logFile
 */
async function ready({ name, port, command, isReady }, child, logFile) {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name}: ${command} can't be run`);
  try {
    const probe = async () => (hasEnded(child) || (await isReady(port, pid)) ? true : undefined);
    await until(probe, { what: `${name} to answer on port ${port}`, withinMs: READY_WITHIN_MS });
    if (hasEnded(child)) throw new Error(`${name} ended at once (${child.exitCode ?? child.signalCode})`);
  } catch (error) {
    const said = existsSync(logFile)
      ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LAST_LINES)
      : [];
    throw new Error(`${/** @type {Error} */ (error).message}. Its last words:\n  ${said.join('\n  ')}`);
  }
}

function pidOf(/** @type {import('node:child_process').ChildProcess} */ child) {
  return child.pid ?? 0;
}

function hasEnded(/** @type {import('node:child_process').ChildProcess} */ child) {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
