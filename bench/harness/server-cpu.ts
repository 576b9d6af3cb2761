import { readFileSync } from 'node:fs';

/** Linux counts a process' time in hundredths of a second. */
const TICK_MICROS = 10_000;

/** CPU that a process has taken since its start, all threads, in µs. Linux only. */
export function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may hold anything: state is the first, utime and stime are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}
