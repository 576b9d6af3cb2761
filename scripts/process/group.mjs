import { processIdentity } from './identity.mjs';
import { until } from './deadline.mjs';

/**
 * Ends a process that leads a group, and its group: politely, and after `graceMs` by force.
 * @param {number} pid
 * @param {{ graceMs: number, identity?: string | undefined }} options  `identity`: leave it alone if it is another by now
 */
export async function endGroup(pid, { graceMs, identity = processIdentity(pid) }) {
  const isGone = () => (identity === undefined || processIdentity(pid) !== identity ? true : undefined);
  if (isGone()) return;
  signalGroup(pid, 'SIGTERM');
  // A frozen process takes SIGTERM only once it is thawed.
  signalGroup(pid, 'SIGCONT');
  try {
    await until(isGone, { what: `process ${pid} to end`, withinMs: graceMs });
  } catch {
    signalGroup(pid, 'SIGKILL');
    await until(isGone, { what: `process ${pid} to be killed`, withinMs: 5_000 });
  }
}

/**
 * @param {number} pid  of the group's leader
 * @param {NodeJS.Signals} signal
 * @returns {boolean} false when nobody is left
 */
export function signalGroup(pid, signal) {
  if (!(pid > 1)) return false; // 0 would mean our own group, -1 everybody
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH') return false;
    throw error;
  }
}
