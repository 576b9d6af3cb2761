import { afterEach, expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createFileSink, createStdoutSink } from '../../src/process/log-sinks.ts';
import { readLogLines } from '../harness/log-lines.ts';
import { freshDir } from '../harness/own-services.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { emitMany, outcomes } from './emissions.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let world: World;
afterEach(() => world.close());

test('the publishing process logs each emission in logs/combined.log', async () => {
  // The API of the test writes no log: a worker process must publish.
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' } });
  const [api, company] = await Promise.all([
    world.ready(world.api()),
    world.documents.company(),
    world.workerProcess(),
  ]);
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);

  const line = await eventually('the line to be written', () =>
    readLogLines(world.env['LOG_DIR']!).find((written) => written.emissionId === emissionId),
  );
  expect(line).toMatchObject({
    msg: `[InternalSocket] Emitted appointment:created for ${appointmentId}`,
    emissionId,
    appointmentId,
    attempt: 1,
  });
});

/** A log folder that rejects every write. */
function fullDisk(): string {
  const dir = freshDir('full-disk');
  mkdirSync(dir, { recursive: true });
  symlinkSync('/dev/full', join(dir, 'combined.log'));
  return dir;
}

test('a full log disk does not stop API or worker', async () => {
  const dir = fullDisk();
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', LOG_DIR: dir, LOG_LEVEL: 'trace' } });
  const [api, worker, company] = await Promise.all([
    world.ready(world.apiProcess()),
    world.workerProcess(),
    world.documents.company(),
  ]);
  const emissionIds = await emitMany(world, api, company, 200);
  expect((await outcomes(world, emissionIds)).counts).toEqual({ completed: 200 });

  worker.kill('SIGTERM');
  expect(await until('the worker to end', worker.exited, 10_000)).toBe(0);
});

/** A worker whose standard output is an unread pipe; `pipe` can be read later. */
function workerOnUnreadPipe(env: Record<string, string>) {
  const pipe = join(freshDir('pipe'), 'stdout');
  mkdirSync(join(pipe, '..'), { recursive: true });
  execFileSync('mkfifo', [pipe]);
  const unread = openSync(pipe, 'r+');
  const worker = spawn(process.execPath, [...SOURCE_ARGS, 'workers/main.ts'], {
    cwd: ROOT,
    env: childEnv(env),
    stdio: ['ignore', unread, 'ignore'],
  });
  closeSync(unread);
  const exited = new Promise<number | null>((resolve) => worker.once('exit', resolve));
  world.keep(worker, () => {
    worker.kill('SIGKILL');
    return exited;
  });
  return { worker, exited, pipe };
}

test('an unread pipe stops neither the jobs of a worker nor its shutdown', async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', LOG_LEVEL: 'trace' } });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const { worker, exited } = workerOnUnreadPipe(world.env);

  // Each logs some 300 characters; a pipe holds 64 kB.
  const emissionIds = await emitMany(world, api, company, 400);
  expect((await outcomes(world, emissionIds)).counts).toEqual({ completed: 400 });

  worker.kill('SIGTERM');
  expect(await until('the worker to end', exited, 10_000)).toBe(0);
});

test('a full disk and a blocked pipe at once: the worker continues, reports dropped lines when the pipe is read again, and shuts down', async () => {
  const dir = fullDisk();
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', LOG_LEVEL: 'trace', LOG_DIR: dir } });
  const [api, company] = await Promise.all([
    world.ready(world.api({ LOG_DIR: freshDir('logs') })),
    world.documents.company(),
  ]);
  const { worker, exited, pipe } = workerOnUnreadPipe(world.env);
  const emissionIds = await emitMany(world, api, company, 400);
  expect((await outcomes(world, emissionIds)).counts).toEqual({ completed: 400 });

  const reader = createReadStream(pipe);
  world.keep(reader, () => reader.destroy());
  const dropped = await until(
    'the worker to log the number of dropped lines',
    (async () => {
      for await (const line of createInterface({ input: reader })) {
        const { msg, sink, lines } = JSON.parse(line) as Record<string, unknown>;
        if (msg === 'log lines dropped') return { sink, lines };
      }
      return undefined;
    })(),
    30_000,
  );
  expect(dropped).toEqual({ sink: 'combined.log', lines: expect.any(Number) });

  worker.kill('SIGTERM');
  expect(await until('the worker to end', exited, 10_000)).toBe(0);
});

test('lines beyond 4 MiB that a stream does not accept are dropped, and counted once', () => {
  const never = new Writable({ write: () => undefined });
  const sink = createStdoutSink(never);
  const lines = Buffer.alloc(1_000_000, 'x');
  for (let n = 0; n < 6; n += 1) sink.write(lines, 10);
  expect([sink.takeDropped(), sink.takeDropped()]).toEqual([20, 0]);
});

test.each([
  ['below /proc', () => '/proc/nowhere', 'ENOENT'],
  [
    'where a file is',
    () => {
      const file = freshDir('file');
      writeFileSync(file, '');
      return file;
    },
    'ENOTDIR',
  ],
  [
    'whose log file is a FIFO that no program reads',
    () => {
      const dir = freshDir('fifo');
      mkdirSync(dir);
      execFileSync('mkfifo', [join(dir, 'combined.log')]);
      return dir;
    },
    'ENXIO',
  ],
])(
  'a worker with a log folder %s starts, prints why its lines are lost, and ends',
  async (_, make, reason) => {
    world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
    const worker = await world.workerProcess({ LOG_DIR: make() });
    await eventually('the worker to print it', () => worker.output().includes(reason));
    expect(worker.output()).toContain('Lines of combined.log are lost');
    worker.kill('SIGTERM');
    expect(await until('the worker to end', worker.exited, 10_000)).toBe(0);
  },
);

test.each(['deleted', 'moved away'])('a log folder that is %s at run time is created again', async (how) => {
  const dir = freshDir('logs');
  const file = join(dir, 'combined.log');
  const sink = createFileSink(file);
  sink.write(Buffer.from('first\n'), 1);
  await eventually('the first line', () => readFileSync(file, 'utf8') === 'first\n');
  if (how === 'deleted') rmSync(dir, { recursive: true });
  else renameSync(dir, `${dir}.old`);
  sink.write(Buffer.from('second\n'), 1);
  await sink.close();
  expect([readFileSync(file, 'utf8'), sink.takeDropped()]).toEqual(['second\n', 0]);
});
