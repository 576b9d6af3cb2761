import { readFileSync } from 'node:fs';

const CPU_TIMES = '/proc/stat';

/**
 * Starts to measure the share of the machine's CPU time (0 to 1) that unrelated processes and the hypervisor use.
 * Call the returned function after all child processes have exited: their CPU time is known only then. It returns
 * `undefined` on systems without `/proc`.
 */
export function watchOtherCpu(): () => number | undefined {
  const before = read();
  return () => {
    const after = read();
    if (!before || !after) return undefined;
    const taken = after.busy - before.busy - (after.ours - before.ours);
    return Math.max(0, taken) / (after.all - before.all);
  };
}

/** Clock ticks since boot: all, busy, and those of this process with its exited children. */
function read(): { all: number; busy: number; ours: number } | undefined {
  try {
    const [, ...ticks] = (readFileSync(CPU_TIMES, 'utf8').split('\n')[0] ?? '').trim().split(/\s+/);
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
