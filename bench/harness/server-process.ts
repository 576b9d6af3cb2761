import { readFileSync } from 'node:fs';

/** Linux counts the CPU time of a process in hundredths of a second. */
const TICK_MICROS = 10_000;

/** CPU time of a process since its start, over all threads, in µs. Linux only. */
export function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Skip the process name, which may contain spaces and brackets. Then utime and stime are fields 12 and 13.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}

/** Memory of a process that is resident, in bytes. Linux only. */
export function residentBytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
