import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { endGroup } from './group.mjs';
import { isSameProcess, processIdentity } from './identity.mjs';

/** The name of a file that says: this process, and no other, was started for the directory that I lie in. */
export const RECORD_FILE = 'process.json';
const GRACE_MS = 8_000;

/**
 * @typedef {object} ProcessRecord
 * @property {string} name
 * @property {number} pid
 * @property {string | undefined} identity
 * @property {number} [port]
 */

/**
 * @param {string} file
 * @param {{ name: string, pid: number, port?: number }} facts
 */
export function writeRecord(file, { name, pid, port }) {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, JSON.stringify({ name, pid, identity: processIdentity(pid), port }));
  renameSync(draft, file);
}

/** @returns {ProcessRecord | undefined} */
function readRecord(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The record of a process that still lives. @returns {ProcessRecord | undefined} */
export function readLiveRecord(/** @type {string} */ file) {
  const record = readRecord(file);
  return record && isSameProcess(record) ? record : undefined;
}

/**
 * Ends every process that still lives and is on record below `dir`, and only those.
 * @param {string} dir
 * @param {{ graceMs?: number }} [options]  0: by force at once, where nobody will miss the data
 * @returns {Promise<ProcessRecord[]>} those it ended
 */
export async function endRecordedBelow(dir, { graceMs = GRACE_MS } = {}) {
  const files = existsSync(dir) ? recordFilesBelow(dir, 3) : [];
  const ended = files.map(async (file) => {
    const record = readLiveRecord(file);
    if (record) await endGroup(record.pid, { graceMs, identity: record.identity });
    rmSync(file, { force: true });
    return record ? [record] : [];
  });
  return (await Promise.all(ended)).flat();
}

/** @returns {string[]} */
function recordFilesBelow(/** @type {string} */ dir, /** @type {number} */ depth) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === RECORD_FILE) return [join(dir, entry.name)];
    return entry.isDirectory() && depth > 0 ? recordFilesBelow(join(dir, entry.name), depth - 1) : [];
  });
}
