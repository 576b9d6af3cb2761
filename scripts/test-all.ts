import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureNode } from './node-versions.ts';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { command } from './process/command.ts';
import { runInGroup } from './process/group.ts';
import type { Main } from './run.mjs';
import { findOnPath } from './services/find-program.ts';

const SERVERS = { redis: 'path', valkey: 'wheel' } as const;

/** One run of a command of `scripts/`. */
interface Part {
  name: string;
  /** Arguments of `scripts/run.mjs`. */
  args: readonly string[];
  /** Major version of Node.js; default: the one that runs this. */
  node?: string;
  /** Default: as the command chooses. */
  server?: keyof typeof SERVERS;
}

const LONG = ['test', '--config', 'jest.long.config.js'];

/** In the order in which they run. docs/reference/platforms.md has a row for each; a test compares them. */
export const PARTS: readonly Part[] = [
  ...['24', '20', '22'].flatMap((node) =>
    (['redis', 'valkey'] as const).map((server): Part => ({
      name: `node${node}-${server}`,
      node,
      server,
      args: ['test'],
    })),
  ),
  { name: 'long-redis', server: 'redis', args: LONG },
  { name: 'long-valkey', server: 'valkey', args: LONG },
  { name: 'ferretdb', args: ['test-ferretdb'] },
  { name: 'faults', args: ['trial', 'faults'] },
  { name: 'chaos', args: ['trial', 'chaos', '--emissions', '500'] },
  { name: 'growth', args: ['trial', 'growth', '--scales', '1,10'] },
  { name: 'mutations', args: ['trial', 'mutations'] },
  { name: 'alerts', args: ['check-alerts'] },
];

interface Result {
  /** Of the sources that ran. */
  commit: string;
  outcome: 'passed' | 'failed' | 'not run';
  /** The counts, or why it did not run. */
  detail: string;
  seconds: number;
}

/** Its name must not begin with `test-`: such folders are removed as those of killed test runs. */
const DIR = join(RUNTIME_DIR, 'suites');
const RESULTS = join(DIR, 'results.json');
const USAGE = `npm run test:all -- [--list] [--resume] [part …]

Runs all parts, or the named ones. --resume leaves out those that passed on this commit.`;

/** `npm run test:all`: every suite, on every version of Node.js and every server. It takes some hours. */
export const main: Main = async ({ signal, args }) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { list: { type: 'boolean' }, resume: { type: 'boolean' } },
  });
  const unknown = positionals.filter((name) => !PARTS.some((part) => part.name === name));
  if (values.list || unknown.length > 0) {
    if (unknown.length > 0) console.error(`no such part: ${unknown.join(', ')}\n`);
    console.log(`${USAGE}\n\n${PARTS.map(({ name }) => name).join('\n')}`);
    return unknown.length > 0 ? 2 : 0;
  }
  mkdirSync(DIR, { recursive: true });
  const { stdout: commit } = await command('git', ['rev-parse', 'HEAD'], { cwd: PROJECT_DIR });
  const named = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results = readResults();
  for (const part of named) {
    const last = results[part.name];
    const isDone = values.resume && last?.outcome === 'passed' && last.commit === commit;
    if (isDone) continue;
    console.log(`=== ${part.name}: ${join(DIR, `${part.name}.log`)}`);
    results[part.name] = { commit, ...(await runPart(part, signal)) };
    if (signal.aborted) return 1;
    writeFileSync(RESULTS, JSON.stringify(results, null, 2));
    console.log(toLine(part.name, results));
  }
  console.log(`\n${named.map(({ name }) => toLine(name, results)).join('\n')}`);
  return named.some(({ name }) => results[name]?.outcome === 'failed') ? 1 : 0;
};

async function runPart(part: Part, signal: AbortSignal): Promise<Omit<Result, 'commit'>> {
  const { name, args, node, server } = part;
  if (server === 'redis' && !findOnPath(['redis-server']))
    return { outcome: 'not run', detail: 'redis-server is not on PATH', seconds: 0 };
  const log = join(DIR, `${name}.log`);
  const startedAt = performance.now();
  const binary = node === undefined ? process.execPath : await ensureNode(node);
  const output = openSync(log, 'w');
  const program = spawn(binary, [join('scripts', 'run.mjs'), ...args], {
    cwd: PROJECT_DIR,
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      ...process.env,
      CI: 'true',
      PATH: `${dirname(binary)}${delimiter}${process.env.PATH ?? ''}`,
      ...(server && { RUNTIME_REDIS: SERVERS[server] }),
    },
  });
  const code = await runInGroup(program, signal);
  closeSync(output);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  return { ...readOutcome(readFileSync(log, 'utf8'), code), seconds };
}

/** A command without a program that it needs prints why, and ends with code 0. */
function readOutcome(log: string, code: number): Pick<Result, 'outcome' | 'detail'> {
  const text = log.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, '');
  const counts = [...text.matchAll(/^\d+ passed, \d+ failed.*$/gm)].at(-1)?.[0];
  const reason = /^not run: (.*)$/m.exec(text)?.[1];
  if (code === 0 && counts === undefined && reason !== undefined)
    return { outcome: 'not run', detail: reason };
  return { outcome: code === 0 ? 'passed' : 'failed', detail: counts ?? `exit code ${code}` };
}

function readResults(): Record<string, Result> {
  return existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Result>) : {};
}

function toLine(name: string, results: Readonly<Record<string, Result>>): string {
  const { outcome, detail, seconds } = results[name] ?? { outcome: 'not run', detail: '', seconds: 0 };
  return `${name.padEnd(14)} ${outcome.padEnd(7)} ${String(seconds).padStart(5)} s  ${detail}`;
}
