import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshDir } from '../../test/harness/own-services.ts';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';
import type { Mutation } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Linked into the copy instead of copied: build output and git’s history. */
const SHARED = new Set(['.runtime', '.git', 'dist']);
const OWN_PACKAGES = '@appointment-emissions';

export interface Tests {
  passed: number;
  failed: number;
  /** The first line of the first failure's message; empty if none failed. */
  failure: string;
}

/** Copies the code with one safeguard removed and returns the folder. @throws if `find` does not occur exactly once */
export function copyWithMutation({ file, ...mutation }: Pick<Mutation, 'file' | 'find' | 'replace'>): string {
  const dir = freshDir('mutation');
  mkdirSync(dir, { recursive: true });
  for (const name of readdirSync(ROOT)) {
    const [from, to] = [join(ROOT, name), join(dir, name)];
    if (name === 'node_modules') linkModules(from, to);
    else if (SHARED.has(name)) symlinkSync(from, to);
    else cpSync(from, to, { recursive: true });
  }
  writeFileSync(join(dir, file), applyMutation(readFileSync(join(ROOT, file), 'utf8'), mutation));
  return dir;
}

/** Links third-party packages to the original, and our own packages to the copy, so that a mutation in them takes effect. */
function linkModules(from: string, to: string): void {
  mkdirSync(join(to, OWN_PACKAGES), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== OWN_PACKAGES) symlinkSync(join(from, name), join(to, name));
  }
  for (const name of readdirSync(join(from, OWN_PACKAGES))) {
    symlinkSync(join('..', '..', 'packages', name), join(to, OWN_PACKAGES, name));
  }
}

/** Replaces the text. @throws if it does not occur exactly once */
export function applyMutation(code: string, { find, replace }: Pick<Mutation, 'find' | 'replace'>): string {
  const parts = code.split(find);
  if (parts.length !== 2) throw new Error(`occurs ${parts.length - 1} times instead of once: ${find}`);
  return parts.join(replace);
}

/** Runs the mutation's tests against the code in `dir`. */
export async function runTests(dir: string, { test, name }: Pick<Mutation, 'test' | 'name'>): Promise<Tests> {
  const report = join(dir, 'report.json');
  const jest = spawn(
    process.execPath,
    [
      `--conditions=${SOURCE_CONDITION}`,
      ...[join(dir, 'node_modules', 'jest', 'bin', 'jest.js'), test],
      // Long tests are not in the default list.
      ...['--testMatch', `**/${test}`],
      ...['-t', `^(.* )?${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`],
      // Without the safeguard a test may leave handles open.
      ...['--json', '--outputFile', report, '--silent', '--forceExit'],
    ],
    { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  jest.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4_000)));
  await once(jest, 'close');
  if (!existsSync(report)) throw new Error(`jest wrote no report:\n${stderr}`);
  return read(JSON.parse(readFileSync(report, 'utf8')) as JestReport);
}

export function remove(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
}

interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { message: string; assertionResults: { status: string; failureMessages: string[] }[] }[];
}

function read({ numPassedTests, numFailedTests, testResults }: JestReport): Tests {
  const failures = testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ status, failureMessages }) => (status === 'failed' ? failureMessages : [])),
  );
  const [message = testResults[0]?.message ?? ''] = failures;
  const [failure = ''] = message.replace(/\u001b\[\d+m/g, '').split('\n');
  return { passed: numPassedTests, failed: numFailedTests, failure };
}
