import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';
import { createFileAppender } from '@appointment-emissions/bot/append-file';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';
import { freshDir } from '../harness/own-services.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LINE_BYTES = 100;

/** A line of 100 bytes that begins with its number. */
const lineOf = (number: number) => Buffer.from(`${String(number).padEnd(LINE_BYTES - 1, '.')}\n`);

const logFiles = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('combined.log'));

/** Numbers of the lines in all files of a log, in order. */
function numbersIn(dir: string): number[] {
  const lines = logFiles(dir).flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'));
  const numbers = lines.filter(Boolean).map((line) => Number.parseInt(line, 10));
  return numbers.sort((a, b) => a - b);
}

function openAppender(dir: string, maxFiles: number) {
  return createFileAppender({
    file: join(dir, 'combined.log'),
    rotation: { maxBytes: 10 * LINE_BYTES, maxFiles },
    reopenDelayMs: 0,
    onFailure: (error) => {
      throw error;
    },
  });
}

test.each([2, 3])('a full log file is renamed, and the %d newest files are kept', async (maxFiles) => {
  const dir = freshDir('logs');
  const appender = openAppender(dir, maxFiles);
  for (let number = 0; number < 95; number += 1) expect(await appender.append(lineOf(number))).toBe(true);
  await appender.close();
  const kept = 5 + 10 * (maxFiles - 1);
  expect(numbersIn(dir)).toEqual(Array.from({ length: kept }, (_, index) => 95 - kept + index));
  expect(logFiles(dir)).toHaveLength(maxFiles);
  for (const name of logFiles(dir))
    expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(10 * LINE_BYTES);
});

test('processes that share a log lose no line, whichever of them renames it', async () => {
  const dir = freshDir('logs');
  const program = (from: number) => `
    const { createFileAppender } = await import('@appointment-emissions/bot/append-file');
    const { append } = createFileAppender({
      file: ${JSON.stringify(join(dir, 'combined.log'))},
      rotation: { maxBytes: ${10 * LINE_BYTES}, maxFiles: 1_000 },
      reopenDelayMs: 0,
      onFailure: (error) => { throw error; },
    });
    for (let number = ${from}; number < ${from + 400}; number += 1)
      await append(Buffer.from(String(number).padEnd(${LINE_BYTES - 1}, '.') + '\\n'));`;
  await Promise.all(
    [0, 400, 800].map((from) =>
      promisify(execFile)(process.execPath, [...SOURCE_ARGS, '--input-type=module', '-e', program(from)], {
        cwd: ROOT,
        env: childEnv(),
      }),
    ),
  );
  expect(numbersIn(dir)).toEqual(Array.from({ length: 1_200 }, (_, number) => number));
  // A file that is not full was renamed by two processes.
  const rotated = logFiles(dir).filter((name) => name !== 'combined.log');
  const sizes = rotated.map((name) => statSync(join(dir, name)).size);
  expect(sizes.filter((size) => size < 10 * LINE_BYTES)).toEqual([]);
  expect(logFiles(dir).length).toBeGreaterThan(50);
});

test('a lock of a process that was killed while it renamed the log is deleted after a while', async () => {
  const dir = freshDir('logs');
  mkdirSync(dir, { recursive: true });
  const lock = join(dir, 'combined.log.rotating');
  writeFileSync(lock, '');
  const appender = openAppender(dir, 3);
  for (let number = 0; number < 15; number += 1) await appender.append(lineOf(number));
  expect(logFiles(dir)).toEqual(['combined.log', 'combined.log.rotating']);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(lock, longAgo, longAgo);
  for (let number = 15; number < 18; number += 1) await appender.append(lineOf(number));
  await appender.close();
  expect(existsSync(lock)).toBe(false);
  expect(logFiles(dir)).toHaveLength(2);
  expect(numbersIn(dir)).toEqual(Array.from({ length: 18 }, (_, number) => number));
});

test('a log file that cannot be renamed grows, and standard error has the reason once', async () => {
  const errors = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const dir = freshDir('logs');
  // With the time appended, the name would be longer than a file system allows.
  const name = 'combined.log'.padEnd(240, 'g');
  const { append, close } = createFileAppender({
    file: join(dir, name),
    rotation: { maxBytes: 1, maxFiles: 3 },
    reopenDelayMs: 0,
    onFailure: () => undefined,
  });
  for (const number of [1, 2, 3]) expect(await append(lineOf(number))).toBe(true);
  await close();
  expect(numbersIn(dir)).toEqual([1, 2, 3]);
  expect(readdirSync(dir)).toEqual([name]);
  expect(errors.mock.calls.flat()).toEqual([expect.stringMatching(/cannot be rotated \(ENAMETOOLONG/)]);
  errors.mockRestore();
});

test('with LOG_FILES=0 a process logs to standard output alone', async () => {
  const dir = freshDir('logs');
  const logger = JSON.stringify(new URL('../../src/process/logger.ts', import.meta.url).href);
  const program = `
    const { createLogger } = await import(${logger});
    const { logger, close } = createLogger({ level: 'info', dir: ${JSON.stringify(dir)}, maxFiles: 0, name: 'test' });
    logger.info('a line');
    await close();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...SOURCE_ARGS, '--input-type=module', '-e', program],
    { cwd: ROOT, env: childEnv() },
  );
  expect(stdout).toContain('"msg":"a line"');
  expect(existsSync(dir)).toBe(false);
});
