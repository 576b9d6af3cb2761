import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { runInGroup } from '../../scripts/process/group.ts';
import { processIdentity } from '../../scripts/process/identity.mjs';
import { withLock } from '../../scripts/process/lock.mjs';
import { endRecordedBelow, writeRecord } from '../../scripts/process/record.ts';
import { runInTestRunDir } from '../../scripts/process/run-dir.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';
import { eventually } from '../harness/until.ts';

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function newDir(): string {
  return mkdtempSync(join(process.env.TEST_RUN_DIR!, 'leftovers-'));
}

/** Starts a process that leads a group and does nothing. Resolves when it runs. */
async function startIdle(): Promise<ChildProcess> {
  const script = "console.log('up'); setInterval(() => {}, 1e6)";
  const child = spawn(process.execPath, ['-e', script], {
    detached: true,
    env: childEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

test('a recorded process is ended', async () => {
  const dir = newDir();
  const child = await startIdle();
  writeRecord(join(dir, 'redis', 'process.json'), { name: 'redis', pid: child.pid! });
  const exited = once(child, 'exit');

  const ended = await endRecordedBelow(dir);

  expect(ended).toMatchObject([{ name: 'redis', pid: child.pid }]);
  await exited;
  expect(existsSync(join(dir, 'redis', 'process.json'))).toBe(false);
});

test('a process that has the pid of a recorded one, but another identity, is not ended', async () => {
  const dir = newDir();
  const child = await startIdle();
  const file = join(dir, 'process.json');
  writeRecord(file, { name: 'redis', pid: child.pid! });
  const record = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...record, identity: 'started before' }));

  expect(await endRecordedBelow(dir)).toEqual([]);
  expect(child.exitCode ?? child.signalCode).toBeNull();
});

test('a second task waits until the first has released the lock', async () => {
  const lock = join(newDir(), 'a.lock');
  const order: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const first = withLock(lock, async () => {
    await gate;
    order.push('first');
  });
  const second = withLock(lock, () => order.push('second'), {
    onWait: (pid) => {
      order.push(`waits for ${pid}`);
      release();
    },
  });
  await Promise.all([first, second]);
  expect(order).toEqual([`waits for ${process.pid}`, 'first', 'second']);
});

test('tasks that find the lock of a dead process still run one at a time', async () => {
  const lock = join(newDir(), 'a.lock');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, identity: 'of a process that has ended' }));
  let inside = 0;
  let maxInside = 0;
  const task = async (): Promise<void> => {
    maxInside = Math.max(maxInside, (inside += 1));
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(lock, task)));
  expect(maxInside).toBe(1);
  expect(existsSync(lock)).toBe(false);
});

test('a program that is started after Ctrl-C is ended', async () => {
  expect(await runInGroup(await startIdle(), AbortSignal.abort('SIGINT'))).toBe(1);
});

test('after Ctrl-C no program is started in a folder for tests', async () => {
  const env = (): Record<string, string> => {
    throw new Error('a folder was made');
  };
  const run = runInTestRunDir({ entry: 'none.ts', args: [], env, signal: AbortSignal.abort('SIGINT') });
  await expect(run).rejects.toBe('SIGINT');
});

test('a process that exits kills the program that it runs in a group', async () => {
  const source = `
    import { spawn } from 'node:child_process';
    import { runInGroup } from ${JSON.stringify(new URL('../../scripts/process/group.ts', import.meta.url))};
    const script = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log(process.pid)";
    const program = spawn(process.execPath, ['-e', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    void runInGroup(program, new AbortController().signal);
    program.stdout.on('data', (pid) => process.stdout.write(pid, () => process.exit(1)));`;
  const parent = spawn(process.execPath, [...SOURCE_ARGS, '--input-type=module', '-e', source], {
    env: childEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(parent);
  const exited = once(parent, 'exit');
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  await exited;
  await eventually('the program to be killed', () => processIdentity(Number(pid)) === undefined);
});
