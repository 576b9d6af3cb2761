import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isSameProcess, processIdentity } from './identity.mjs';

const RETRY_MS = 100;

/**
 * Runs `task` while no other process of this machine runs one under the same lock file. If the process that holds the
 * lock was killed, the lock is taken over.
 * @template T
 * @param {string} path
 * @param {() => T | Promise<T>} task
 * @param {{ onWait?: (holderPid: number) => void, signal?: AbortSignal }} [options]
 *   `onWait`: called once, if another process holds the lock; `signal`: ends the wait with an error
 * @returns {Promise<T>}
 */
export async function withLock(path, task, { onWait, signal } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const { pid } = process;
  const mine = JSON.stringify({ pid, identity: processIdentity(pid), turn: randomUUID() });
  let isFirstWait = true;
  while (!create(path, mine)) {
    const theirs = read(path);
    if (theirs === undefined) continue;
    const holder = parse(theirs);
    if (holder === undefined || !isSameProcess(holder)) {
      removeStale(path, theirs);
      continue;
    }
    if (isFirstWait) onWait?.(holder.pid);
    isFirstWait = false;
    await delay(RETRY_MS, undefined, signal && { signal });
  }
  try {
    return await task();
  } finally {
    if (read(path) === mine) rmSync(path, { force: true });
  }
}

/**
 * Links a finished file, so that the lock and its content appear together.
 * @param {string} path @param {string} content
 */
function create(path, content) {
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

/**
 * If several processes find the same stale lock, only one can move it. A process that moved a newer lock restores it.
 * @param {string} path @param {string} stale
 */
function removeStale(path, stale) {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, path);
  } catch {
    // Another process was faster; the caller's loop tries again.
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {string} content @returns {{ pid: number, identity: string } | undefined} */
function parse(content) {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
