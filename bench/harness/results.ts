import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Findings } from '../scenario.ts';
import type { Threshold } from './figures.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIR = join(ROOT, 'bench', 'results');
/** Packages whose versions affect the results. */
const PACKAGES = [
  'bullmq',
  'express',
  'ioredis',
  'mongodb',
  'mongoose',
  'pino',
  'socket.io',
  'ws',
  '@socket.io/redis-emitter',
];

/** One run of a scenario, as stored in `bench/results/`. */
export interface Result extends Findings {
  scenario: string;
  title: string;
  thresholds: Threshold[];
  rounds: number;
  /** ISO 8601. */
  measuredAt: string;
  /** Commit of the measured code, followed by `+` if the working tree had uncommitted changes. */
  commit: string;
  machine: Record<string, string>;
  versions: Record<string, string>;
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

export function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    const measured = ['src', 'workers', 'bench', 'package-lock.json', ':!bench/results', ':!bench/report'];
    const changed = git('status', '--porcelain', '--', ...measured);
    return git('rev-parse', '--short=10', 'HEAD') + (changed === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

export function writeResult(result: Result): void {
  mkdirSync(DIR, { recursive: true });
  writeFileSync(join(DIR, `${result.scenario}.json`), `${JSON.stringify(result, rounded, 1)}\n`);
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
