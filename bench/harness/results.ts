import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Findings } from '../scenario.ts';
import type { Threshold } from './figures.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIR = join(ROOT, 'bench', 'results');
/** What `commit` is about, for git. */
const MEASURED_CODE = [
  ...['src', 'workers', 'packages', 'demo', 'bench', 'scripts/services', 'package-lock.json'],
  ...[':!bench/results', ':!bench/report'],
];
const UNCOMMITTED = '+';
/** Packages whose versions affect the results. */
const PACKAGES = [
  'bullmq',
  'centrifuge',
  'express',
  'ioredis',
  'mongodb',
  'mongoose',
  'pino',
  'socket.io',
  'ws',
  '@socket.io/redis-emitter',
];

/** What the results of one run have in common, so that they may stand side by side. */
export interface RunSetup {
  rounds: number;
  /** The last commit that changed the measured code, followed by `+` if it had uncommitted changes. */
  commit: string;
  machine: Record<string, string>;
  versions: Record<string, string>;
}

/** One run of a scenario, as stored in `bench/results/`. */
export interface Result extends Findings, RunSetup {
  scenario: string;
  title: string;
  thresholds: Threshold[];
  /** ISO 8601. */
  measuredAt: string;
  /** Share of the machine's CPU that unrelated processes used during the run; `undefined` if it cannot be measured. */
  otherCpuShare: number | undefined;
}

export function machine(): Result['machine'] {
  const [first] = cpus();
  return {
    cpu: `${cpus().length} × ${first?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    node: process.version,
  };
}

export function versions(servers: Record<string, string>): Result['versions'] {
  const installed = PACKAGES.map((name) => {
    const file = join(ROOT, 'node_modules', name, 'package.json');
    return [name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version];
  });
  return { ...servers, ...Object.fromEntries(installed) };
}

/** The last commit that changed the measured code: it stays the same while results and docs are committed. */
export function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', ...MEASURED_CODE);
    const last = git('log', '-1', '--format=%h', '--abbrev=10', 'HEAD', '--', ...MEASURED_CODE);
    return last + (changed === '' ? '' : UNCOMMITTED);
  } catch {
    return 'unknown';
  }
}

/**
 * Whether a saved result is one of this run, so that a resumed run need not repeat its scenario: the same committed code,
 * machine and versions, and at least as many rounds.
 */
export function isFromThisRun(saved: RunSetup, run: RunSetup): boolean {
  if (run.commit === 'unknown' || run.commit.endsWith(UNCOMMITTED)) return false;
  return (
    saved.commit === run.commit &&
    saved.rounds >= run.rounds &&
    isDeepStrictEqual(saved.machine, run.machine) &&
    isDeepStrictEqual(saved.versions, run.versions)
  );
}

export function writeResult(result: Result): void {
  mkdirSync(DIR, { recursive: true });
  const file = join(DIR, `${result.scenario}.json`);
  // Renamed when it is complete: the run may be interrupted at any time.
  writeFileSync(`${file}.new`, `${JSON.stringify(result, rounded, 1)}\n`);
  renameSync(`${file}.new`, file);
}

/** Reads all stored results, by scenario. */
export function readResults(): Map<string, Result> {
  const files = readdirSync(DIR).filter((name) => name.endsWith('.json'));
  const results = files.map((name) => JSON.parse(readFileSync(join(DIR, name), 'utf8')) as Result);
  return new Map(results.map((result) => [result.scenario, result]));
}

/** Rounds to six significant digits, more than any measurement has. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
