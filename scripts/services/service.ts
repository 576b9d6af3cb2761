import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasEnded, signalGroup } from '../process/group.ts';
import { pollUntil } from '../process/poll-until.ts';
import { RECORD_FILE } from '../process/record.ts';
import { startRecordedChild } from '../process/recorded-child.ts';

const READY_WITHIN_MS = 30_000;
const STOP_GRACE_MS = 8_000;
const LAST_LINES = 15;

/** A running server, in its own process group. */
export interface ServiceHandle {
  readonly name: string;
  /** `redis://127.0.0.1:<port>` or `mongodb://127.0.0.1:<port>`, without a database. */
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly logFile: string;
  /** Changes with each restart, as `process` does. */
  readonly pid: number;
  readonly process: ChildProcess;
  /** Ends it with SIGTERM, after 8 s with SIGKILL; also if it is frozen. Idempotent. */
  stop: () => Promise<void>;
  /** Signals it. SIGKILL, the default, resolves when it has gone; SIGSTOP freezes it and SIGCONT continues it. */
  kill: (signal?: NodeJS.Signals) => Promise<void>;
  /** Stops it, if it runs, and starts it again on the same port and folder. Resolves when it answers. */
  restart: () => Promise<void>;
}

export interface ServiceOptions {
  /** For data, log and record; made if missing. Existing data is kept. */
  dir: string;
  /** Default: a free port on the loopback interface. */
  port?: number;
  /** Receives progress lines, for example of an installation. */
  log?: ((line: string) => void) | undefined;
}

export interface ServiceSpec {
  name: string;
  dir: string;
  port: number;
  url: string;
  command: string;
  args: string[];
  /** The whole environment; default: that of this process. */
  env?: NodeJS.ProcessEnv | undefined;
  /** Whether the process `pid` answers on the port. */
  isReady: (port: number, pid: number) => Promise<boolean>;
}

/** Starts a server. @throws if it ends or does not answer, with the last lines of its log */
export async function startService(spec: ServiceSpec): Promise<ServiceHandle> {
  const { name, dir, port, url, command, args, env } = spec;
  const logFile = join(dir, `${name}.log`);
  const recordFile = join(dir, RECORD_FILE);
  mkdirSync(dir, { recursive: true });
  const child = startRecordedChild({
    name,
    command,
    args,
    cwd: dir,
    env,
    logFile,
    recordFile,
    port,
    stopGraceMs: STOP_GRACE_MS,
  });
  try {
    await waitUntilReady(spec, child.process, logFile);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    name,
    url,
    port,
    dir,
    logFile,
    get pid() {
      return child.process.pid ?? 0;
    },
    get process() {
      return child.process;
    },
    stop: child.stop,
    async kill(signal = 'SIGKILL') {
      if (hasEnded(child.process)) return;
      const exited = signal === 'SIGKILL' ? once(child.process, 'exit') : undefined;
      signalGroup(child.process.pid ?? 0, signal);
      await exited;
    },
    async restart() {
      await child.stop();
      child.launch();
      await waitUntilReady(spec, child.process, logFile);
    },
  };
}

async function waitUntilReady(
  { name, port, command, isReady }: ServiceSpec,
  child: ChildProcess,
  logFile: string,
): Promise<void> {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name}: ${command} cannot be run`);
  try {
    const probe = async () => (hasEnded(child) || (await isReady(port, pid)) ? true : undefined);
    await pollUntil(probe, { what: `${name} to answer on port ${port}`, withinMs: READY_WITHIN_MS });
    if (hasEnded(child))
      throw new Error(`${name} ended at once (${child.signalCode ?? `code ${child.exitCode}`})`);
  } catch (error) {
    throw new Error(`${(error as Error).message}. Its last lines:\n  ${lastLines(logFile).join('\n  ')}`);
  }
}

function lastLines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LAST_LINES) : [];
}
