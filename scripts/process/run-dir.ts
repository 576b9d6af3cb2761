import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from '../paths.mjs';
import { SOURCE_ARGS } from '../source-args.mjs';
import { runInGroup } from './group.ts';
import { endRecordedBelow, readLiveRecord, writeRecord } from './record.ts';

const OWNER_FILE = 'owner.json';
const PREFIX = 'test-';

/** Makes an empty folder for everything that one test run starts. It belongs to this process. */
export function makeTestRunDir(): string {
  const dir = join(RUNTIME_DIR, `${PREFIX}${process.pid}`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  writeRecord(join(dir, OWNER_FILE), { name: 'tests', pid: process.pid });
  return dir;
}

/**
 * Ends the processes that are recorded in the folder and still run, and removes it.
 * @returns their names
 */
export async function removeTestRunDir(dir: string): Promise<string[]> {
  const ended = await endRecordedBelow(dir, { graceMs: 0 });
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  return ended.map(({ name }) => name);
}

/** Removes the folders of test runs that were killed: their owner does not run any more. */
export async function removeDeadTestRuns(): Promise<void> {
  mkdirSync(RUNTIME_DIR, { recursive: true });
  const dirs = readdirSync(RUNTIME_DIR).filter((name) => name.startsWith(PREFIX));
  const dead = dirs
    .map((name) => join(RUNTIME_DIR, name))
    .filter((dir) => !readLiveRecord(join(dir, OWNER_FILE)));
  await Promise.all(dead.map(removeTestRunDir));
}

export interface Program {
  /** Its TypeScript file, with its arguments. */
  entry: string;
  args: string[];
  /** Additions to the environment, given the folder of this run. */
  env: (dir: string) => Record<string, string>;
  /** Ends it. */
  signal: AbortSignal;
}

/**
 * Runs a program that starts servers and processes itself, in its own process group and with a folder for this run. When
 * it ends, whatever it has left running is ended.
 * @returns its exit code
 */
export async function runInTestRunDir({ entry, args, env, signal }: Program): Promise<number> {
  await removeDeadTestRuns();
  signal.throwIfAborted();
  const dir = makeTestRunDir();
  const program = spawn(process.execPath, [...SOURCE_ARGS, entry, ...args], {
    cwd: PROJECT_DIR,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env(dir) },
  });
  try {
    return await runInGroup(program, signal);
  } finally {
    // The whole group has been killed: none of its processes writes to the folder again.
    await removeTestRunDir(dir);
  }
}
