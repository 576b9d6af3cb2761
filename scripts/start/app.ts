import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT_DIR } from '../paths.mjs';
import { endGroup, hasEnded, signalGroup } from '../process/group.ts';
import { RECORD_FILE, writeRecord } from '../process/record.ts';
import { SOURCE_ARGS } from '../source-args.mjs';

/** A little longer than they need to answer requests and finish jobs (SHUTDOWN_DEADLINE_MS). */
const STOP_GRACE_MS = 10_000;

/** One of our running processes. */
export interface App {
  readonly name: string;
  readonly logFile: string;
  /** Changes with each restart. */
  readonly process: ChildProcess;
  /** Ends it, if it runs. */
  stop: () => Promise<void>;
  /** Stops it, if it runs, and starts it again. */
  restart: () => Promise<void>;
}

export interface AppOptions {
  name: string;
  /** Its TypeScript file. */
  entry: string;
  env: NodeJS.ProcessEnv;
  runtimeDir: string;
  /** Receives each line of its standard error. Standard output goes to `logFile`. */
  onErrorLine: (line: string) => void;
}

/**
 * Starts one of our TypeScript processes. If this process dies, even by SIGKILL, the IPC channel to it closes, and the
 * started process ends by itself.
 */
export function startApp({ name, entry, env, runtimeDir, onErrorLine }: AppOptions): App {
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

  function launch(): ChildProcess {
    const log = openSync(logFile, 'a');
    const launched = spawn(process.execPath, [...SOURCE_ARGS, entry], {
      cwd: PROJECT_DIR,
      env,
      detached: true, // Ctrl-C reaches this process only, which ends the apps in order
      stdio: ['ignore', log, 'pipe', 'ipc'],
    });
    closeSync(log);
    launched.on('error', () => undefined);
    if (launched.stderr) createInterface({ input: launched.stderr }).on('line', onErrorLine);
    if (launched.pid !== undefined) writeRecord(recordFile, { name, pid: launched.pid });
    return launched;
  }

  async function stop(): Promise<void> {
    if (!hasEnded(child)) {
      const exited = once(child, 'exit');
      await endGroup(child.pid ?? 0, { graceMs: STOP_GRACE_MS });
      await exited;
    }
    rmSync(recordFile, { force: true });
  }
}
