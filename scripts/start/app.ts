import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT_DIR } from '../paths.mjs';
import { RECORD_FILE } from '../process/record.ts';
import { startRecordedChild } from '../process/recorded-child.ts';
import { SOURCE_ARGS } from '../source-args.mjs';

/** A little longer than they need with the default SHUTDOWN_DRAIN_MS. */
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
  const logFile = join(runtimeDir, 'logs', `${name}.log`);
  const child = startRecordedChild({
    name,
    command: process.execPath,
    args: [...SOURCE_ARGS, entry],
    cwd: PROJECT_DIR,
    env,
    logFile,
    recordFile: join(runtimeDir, 'apps', name, RECORD_FILE),
    stopGraceMs: STOP_GRACE_MS + Number(env['SHUTDOWN_DRAIN_MS'] ?? 0),
    onErrorLine,
    hasIpc: true,
  });
  return {
    name,
    logFile,
    get process() {
      return child.process;
    },
    stop: child.stop,
    async restart() {
      await child.stop();
      child.launch();
    },
  };
}
