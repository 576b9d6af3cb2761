import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Names one process: a later process with the same pid has another identity, so that a recorded pid can be verified.
 * @param {number} pid
 * @returns {string | undefined} undefined if the process does not exist or has ended
 */
export function processIdentity(pid) {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
}

/** @param {{ pid: number, identity: string | undefined }} recorded */
export function isSameProcess({ pid, identity }) {
  return identity !== undefined && processIdentity(pid) === identity;
}

/** @param {number} pid */
function fromProc(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the command in parentheses, which can contain spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startedAtTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  // Ticks count from boot: the boot's id distinguishes two boots.
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return `${startedAtTicks}@${boot}`;
}

/** @param {number} pid */
function fromPs(pid) {
  return (
    execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim() ||
    undefined
  );
}
