import type { ChildProcess } from 'node:child_process';

/** A service that we started, in a process group of its own. */
export interface ServiceHandle {
  readonly name: string;
  /** `redis://127.0.0.1:<port>` or `mongodb://127.0.0.1:<port>`, without a database. */
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly logFile: string;
  /** Changes with each restart, as does `process`. */
  readonly pid: number;
  readonly process: ChildProcess;
  /** Ends it in order, by force after 8 s, also when it is frozen. Idempotent. */
  stop(): Promise<void>;
  /**
   * Signals it: SIGKILL (default; resolves when it is gone), SIGSTOP freezes and SIGCONT thaws it.
   */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops it if it runs, and starts it again on the same port and directory. Resolves when it answers. */
  restart(): Promise<void>;
}

export interface ServiceOptions {
  /** Its data, log and pid file; made if missing. What lies there already is kept. */
  dir: string;
  /** Default: a free one on the loopback interface. */
  port?: number;
  /** Told what takes long, a line at a time. */
  log?: (line: string) => void;
}

/** What to start, and how to know that it answers. */
export interface ServiceSpec {
  name: string;
  dir: string;
  port: number;
  url: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv | undefined;
  isReady: (port: number, pid: number) => Promise<boolean>;
}

/**
 * Starts a service in a process group of its own, so that Ctrl-C reaches us and not it: we stop it when those who
 * use it have ended.
 */
export function startService(spec: ServiceSpec): Promise<ServiceHandle>;
