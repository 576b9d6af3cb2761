export interface ProcessRecord {
  name: string;
  pid: number;
  identity: string | undefined;
  port?: number;
}

/** Puts a living process on file, so that it can be told from a later one with the same pid. */
export function writeRecord(file: string, facts: { name: string; pid: number; port?: number }): void;

/** Ends every process that still lives and is on record below `dir`, and only those. Resolves to those it ended. */
export function endRecordedBelow(dir: string, options?: { graceMs?: number }): Promise<ProcessRecord[]>;

/** The name of a file that says: this process, and no other, was started for the directory that I lie in. */
export const RECORD_FILE: string;

/** The record of a process that still lives. */
export function readLiveRecord(file: string): ProcessRecord | undefined;
