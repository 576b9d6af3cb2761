import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { endRecordedBelow, readLiveRecord, writeRecord } from './record.mjs';

const OWNER_FILE = 'owner.json';
const PREFIX = 'test-';

/**
 * A fresh directory for all that one run of the tests starts. It belongs to this process.
 * @returns {string}
 */
export function makeTestRunDir() {
  const dir = join(RUNTIME_DIR, `${PREFIX}${process.pid}`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  writeRecord(join(dir, OWNER_FILE), { name: 'tests', pid: process.pid });
  return dir;
}

/**
 * Ends what still runs below the directory, and removes it.
 * @returns {Promise<string[]>} the names of what had been left running
 */
export async function removeTestRunDir(/** @type {string} */ dir) {
  const ended = await endRecordedBelow(dir, { graceMs: 0 });
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  return ended.map(({ name }) => name);
}

/** Clears up after runs that were killed: those whose owner is gone. */
export async function removeDeadTestRuns() {
  mkdirSync(RUNTIME_DIR, { recursive: true });
  const dirs = readdirSync(RUNTIME_DIR).filter((name) => name.startsWith(PREFIX));
  const dead = dirs
    .map((name) => join(RUNTIME_DIR, name))
    .filter((dir) => !readLiveRecord(join(dir, OWNER_FILE)));
  await Promise.all(dead.map(removeTestRunDir));
}
