import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { endGroup, hasEnded, signalGroup } from './group.ts';
import { writeRecord } from './record.ts';

export interface RecordedChildSpec {
  name: string;
  command: string;
  args: string[];
  cwd: string;
  /** The whole environment; default: that of this process. */
  env?: NodeJS.ProcessEnv | undefined;
  /** Receives its output. An existing file is renamed to `<logFile>.1`. */
  logFile: string;
  /** A later start finds the process with it, if it still runs then. */
  recordFile: string;
  /** On which it listens; for the record. */
  port?: number;
  /** From SIGTERM until SIGKILL. */
  stopGraceMs: number;
  /** Receives each line of its standard error, instead of the log file. */
  onErrorLine?: (line: string) => void;
  /** Whether it gets an IPC channel, which closes when this process ends. */
  hasIpc?: boolean;
}

export interface RecordedChild {
  /** Changes with each launch. */
  readonly process: ChildProcess;
  /** Ends it, if it runs; also if it is frozen. */
  stop: () => Promise<void>;
  /** Starts it again after it has ended. */
  launch: () => void;
}

/**
 * Starts a program in its own process group: Ctrl-C reaches this process only, which ends its children in order. If this
 * process exits earlier, the group is killed.
 */
export function startRecordedChild(spec: RecordedChildSpec): RecordedChild {
  const { logFile, recordFile, stopGraceMs } = spec;
  mkdirSync(dirname(logFile), { recursive: true });
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  let child = launch(spec);
  return {
    get process() {
      return child;
    },
    async stop() {
      if (!hasEnded(child)) {
        const exited = once(child, 'exit');
        await endGroup(child.pid ?? 0, { graceMs: stopGraceMs });
        await exited;
      }
      rmSync(recordFile, { force: true });
    },
    launch() {
      child = launch(spec);
    },
  };
}

function launch(spec: RecordedChildSpec): ChildProcess {
  const { name, command, args, cwd, env, logFile, recordFile, port, onErrorLine, hasIpc } = spec;
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', log, onErrorLine ? 'pipe' : log, ...(hasIpc ? (['ipc'] as const) : [])],
  });
  closeSync(log);
  // The command does not exist: the child has no pid.
  child.on('error', () => undefined);
  if (onErrorLine && child.stderr) createInterface({ input: child.stderr }).on('line', onErrorLine);
  const { pid } = child;
  if (pid === undefined) return child;
  writeRecord(recordFile, { name, pid, ...(port !== undefined && { port }) });
  const kill = (): void => void signalGroup(pid, 'SIGKILL');
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}
