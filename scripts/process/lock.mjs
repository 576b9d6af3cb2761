import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isSameProcess, processIdentity } from './identity.mjs';

const RETRY_MS = 100;

/**
 * Runs `task` while no other process of this machine runs one under the same lock file.
 * A lock left behind by a killed process is taken over.
 * @template T
 * @param {string} path
 * @param {() => T | Promise<T>} task
 * @param {{ onWait?: (holderPid: number) => void }} [options]  called once, if the lock is held
 * @returns {Promise<T>}
 */
export async function withLock(path, task, { onWait } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({
    pid: process.pid,
    identity: processIdentity(process.pid),
    turn: randomUUID(),
  });
  let told = false;
  while (!create(path, mine)) {
    const theirs = read(path);
    if (theirs === undefined) continue;
    const holder = parse(theirs);
    if (holder === undefined || !isSameProcess(holder)) {
      takeAway(path, theirs);
      continue;
    }
    if (!told) onWait?.(holder.pid);
    told = true;
    await delay(RETRY_MS);
  }
  try {
    return await task();
  } finally {
    if (read(path) === mine) rmSync(path, { force: true });
  }
}

/** Linking a finished file makes the lock and its content appear together. */
function create(/** @type {string} */ path, /** @type {string} */ content) {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Two may find the same stale lock: only one can move it, and who moved a newer one puts it back. */
function takeAway(/** @type {string} */ path, /** @type {string} */ stale) {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, path);
  } catch {
    // Another was faster; the loop looks again.
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(/** @type {string} */ path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @returns {{ pid: number, identity: string } | undefined} */
function parse(/** @type {string} */ content) {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
