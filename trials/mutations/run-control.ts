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
import type { Control } from './controls.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Shared with the copy: what was built, and git’s history. */
const SHARED = new Set(['.runtime', '.git', 'dist']);
const OWN_PACKAGES = '@appointment-emissions';

export interface Tests {
  passed: number;
  failed: number;
  /** The first line of what the first failed test said. */
  says: string;
}

/** A copy of the code with one defence taken out. @throws where its text does not stand there once */
export function copyWithout({ file, takeOut, putIn }: Omit<Control, 'defence'>): string {
  const dir = freshDir('control');
  mkdirSync(dir, { recursive: true });
  for (const name of readdirSync(ROOT)) {
    const [from, to] = [join(ROOT, name), join(dir, name)];
    if (name === 'node_modules') linkModules(from, to);
    else if (SHARED.has(name)) symlinkSync(from, to);
    else cpSync(from, to, { recursive: true });
  }
  writeFileSync(join(dir, file), without(readFileSync(join(ROOT, file), 'utf8'), takeOut, putIn));
  return dir;
}

/** Packages of others are shared. Our own ones lead to the copy, so that a mutation in them takes effect. */
function linkModules(from: string, to: string): void {
  mkdirSync(join(to, OWN_PACKAGES), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== OWN_PACKAGES) symlinkSync(join(from, name), join(to, name));
  }
  for (const name of readdirSync(join(from, OWN_PACKAGES))) {
    symlinkSync(join('..', '..', 'packages', name), join(to, OWN_PACKAGES, name));
  }
}

/** @throws where the text does not stand there once */
export function without(code: string, takeOut: string, putIn: string): string {
  const parts = code.split(takeOut);
  if (parts.length !== 2) throw new Error(`stands there ${parts.length - 1} times, not once: ${takeOut}`);
  return parts.join(putIn);
}

/** Runs the tests of one file whose names begin so, with the code of a folder. */
export async function runTests(dir: string, { test, name }: Pick<Control, 'test' | 'name'>): Promise<Tests> {
  const report = join(dir, 'report.json');
  const jest = spawn(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      ...[join(dir, 'node_modules', 'jest', 'bin', 'jest.js'), test],
      ...['-t', `^(.* )?${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`],
      // Without the defence something may be left running.
      ...['--json', '--outputFile', report, '--silent', '--forceExit'],
    ],
    { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  jest.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  await once(jest, 'close');
  if (!existsSync(report)) throw new Error(`jest made no report:\n${said}`);
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
  const [says = ''] = message.replace(/\u001b\[\d+m/g, '').split('\n');
  return { passed: numPassedTests, failed: numFailedTests, says };
}
