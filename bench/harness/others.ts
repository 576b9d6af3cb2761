import { readFileSync } from 'node:fs';

const LINUX_ONLY = '/proc/stat';

/**
 * Begins to watch how much of the machine's CPU others take: its processes that are not ours, and its host. Resolves to a
 * share; call it when all of our children have ended, since only then their time is known. `undefined` where the system
 * does not tell.
 */
export function watchOthers(): () => number | undefined {
  const before = read();
  return () => {
    const after = read();
    if (!before || !after) return undefined;
    const taken = after.busy - before.busy - (after.ours - before.ours);
    return Math.max(0, taken) / (after.all - before.all);
  };
}

/** In clock ticks since the machine started, and of this process and its ended children. */
function read(): { all: number; busy: number; ours: number } | undefined {
  try {
    const [, ...ticks] = (readFileSync(LINUX_ONLY, 'utf8').split('\n')[0] ?? '').trim().split(/\s+/);
    // user, nice, system, idle, iowait, irq, softirq, steal
    const spent = ticks.slice(0, 8).map(Number);
    const all = spent.reduce((sum, value) => sum + value, 0);
    const own = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // utime, stime, cutime, cstime
    const ours = own.slice(11, 15).reduce((sum, value) => sum + Number(value), 0);
    return { all, busy: all - (spent[3] ?? 0) - (spent[4] ?? 0), ours };
  } catch {
    return undefined;
  }
}
