import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { processIdentity } from './identity.mjs';
import { pollUntil } from './poll-until.ts';

/** Resolves after the process has gone, at most this long after SIGKILL. */
const KILL_WITHIN_MS = 5_000;
/** From SIGTERM until SIGKILL. */
const STOP_GRACE_MS = 3_000;

/**
 * Waits until a program that leads its own process group has ended, and kills what its group has left running. The group
 * is ended when `signal` aborts, and killed if this process exits earlier.
 * @returns the program's exit code; 1 if a signal has ended it
 */
export async function runInGroup(program: ChildProcess, signal: AbortSignal): Promise<number> {
  const { pid = 0 } = program;
  const end = (): void => void endGroup(pid, { graceMs: STOP_GRACE_MS });
  const kill = (): void => void signalGroup(pid, 'SIGKILL');
  process.once('exit', kill);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    const [code] = (await once(program, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    signal.removeEventListener('abort', end);
    process.off('exit', kill);
    kill();
  }
}

/**
 * Ends the group of a process that leads one: with SIGTERM, and after `graceMs` with SIGKILL.
 * @param identity of the process that is meant; if another process has the pid by now, nothing is done
 */
export async function endGroup(
  pid: number,
  { graceMs, identity = processIdentity(pid) }: { graceMs: number; identity?: string | undefined },
): Promise<void> {
  const isGone = () => (identity === undefined || processIdentity(pid) !== identity ? true : undefined);
  if (isGone()) return;
  signalGroup(pid, 'SIGTERM');
  // A frozen process handles SIGTERM only after SIGCONT.
  signalGroup(pid, 'SIGCONT');
  try {
    await pollUntil(isGone, { what: `process ${pid} to end`, withinMs: graceMs });
  } catch {
    signalGroup(pid, 'SIGKILL');
    await pollUntil(isGone, { what: `process ${pid} to be killed`, withinMs: KILL_WITHIN_MS });
  }
}

/**
 * Signals all processes of the group that `pid` leads.
 * @returns false if none is left
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  if (!(pid > 1)) return false; // 0 is our own group, -1 every process
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Whether a child process has ended, or could not be started. */
export function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}
