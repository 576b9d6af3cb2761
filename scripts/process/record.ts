import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { endGroup } from './group.ts';
import { isSameProcess, processIdentity } from './identity.mjs';

/** Name of the file that identifies the process which was started for its folder. */
export const RECORD_FILE = 'process.json';
const GRACE_MS = 8_000;
/** How many levels of folders are searched for records. */
const MAX_DEPTH = 3;

export interface ProcessRecord {
  name: string;
  pid: number;
  /** Distinguishes the process from a later one with the same pid. */
  identity: string | undefined;
  port?: number;
}

/** Records a running process, so that a later start can find and end it. */
export function writeRecord(file: string, target: Omit<ProcessRecord, 'identity'>): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, JSON.stringify({ ...target, identity: processIdentity(target.pid) }));
  renameSync(draft, file);
}

/** The record of a process that still runs; undefined if it has ended or was never recorded. */
export function readLiveRecord(file: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
    return isSameProcess(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Ends every process that is recorded below `dir` and still runs, and no other.
 * @param graceMs 0 kills at once, for processes whose data is not needed any more
 * @returns the processes that it ended
 */
export async function endRecordedBelow(
  dir: string,
  { graceMs = GRACE_MS }: { graceMs?: number } = {},
): Promise<ProcessRecord[]> {
  const files = existsSync(dir) ? recordFilesBelow(dir, MAX_DEPTH) : [];
  const ended = files.map(async (file) => {
    const record = readLiveRecord(file);
    if (record) await endGroup(record.pid, { graceMs, identity: record.identity });
    rmSync(file, { force: true });
    return record ? [record] : [];
  });
  return (await Promise.all(ended)).flat();
}

function recordFilesBelow(dir: string, depth: number): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === RECORD_FILE) return [join(dir, entry.name)];
    return entry.isDirectory() && depth > 0 ? recordFilesBelow(join(dir, entry.name), depth - 1) : [];
  });
}
