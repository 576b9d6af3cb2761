import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line of combined.log, with the fields that tests read. */
export interface LogLine {
  /** Of the process. */
  name: string;
  level: number;
  msg: string;
  code?: string;
  error?: string;
  emissionId?: string;
  appointmentId?: string;
  requestId?: string;
}

/** The text of combined.log in a folder; empty if there is none yet. */
export function readLog(dir: string): string {
  const file = join(dir, 'combined.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** The lines of combined.log, of all processes that write to it. @throws while the last line is only half written */
export function readLogLines(dir: string): LogLine[] {
  const lines = readLog(dir).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as LogLine);
}
