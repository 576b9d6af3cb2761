import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Findings } from '../scenario.ts';
import type { Must } from './figures.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIR = join(ROOT, 'bench', 'results');
/** Whose versions matter to the numbers. */
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

/** One scenario's run, as it is kept in `bench/results/`. */
export interface Result extends Findings {
  scenario: string;
  title: string;
  musts: Must[];
  rounds: number;
  /** ISO 8601. */
  measuredAt: string;
  /** Of the code that was measured; with `+` where files were changed beside it. */
  commit: string;
  machine: Record<string, string>;
  versions: Record<string, string>;
  /** Share of the machine's CPU that others took meanwhile, where the system tells. */
  takenByOthers: number | undefined;
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

/** By scenario. */
export function readResults(): Map<string, Result> {
  const files = readdirSync(DIR).filter((name) => name.endsWith('.json'));
  const results = files.map((name) => JSON.parse(readFileSync(join(DIR, name), 'utf8')) as Result);
  return new Map(results.map((result) => [result.scenario, result]));
}

/** Six digits are more than any measurement has. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
