import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/process/free-port.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRIES = {
  api: 'src/api/main.ts',
  'demo API': 'demo/api.ts',
  worker: 'workers/main.ts',
  bot: 'demo/bot-process.ts',
};
const END_WITHIN_MS = 20_000;

let world: World;
const launched: ReturnType<typeof spawn>[] = [];
beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => {
  for (const child of launched.splice(0)) child.kill('SIGKILL');
});
afterAll(() => world.close());

/** Starts a program, whether or not it becomes ready. */
function launch(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [...SOURCE_ARGS, ...args], { cwd: ROOT, env: childEnv(env) });
  launched.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as unknown);
  return { child, output: () => output, ended: () => until('the process to end', ended, END_WITHIN_MS) };
}

async function absent(scheme: string, path: string): Promise<string> {
  return `${scheme}://127.0.0.1:${await freePort()}${path}`;
}

test.each(['api', 'worker'] as const)('a signal ends the %s while it waits for its servers', async (role) => {
  const REDIS_URL = await absent('redis', '');
  const MONGODB_URI = await absent('mongodb', '/absent');
  const { child, output, ended } = launch([ENTRIES[role]], { ...world.env, REDIS_URL, MONGODB_URI });
  await eventually('its first line', () => output().includes('\n'));
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  expect(await ended()).toBe(0);
  expect(output()).toContain('"stopped"');
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s shuts a worker down gracefully', async (signal) => {
  const { child, output, ended } = launch([ENTRIES.worker], world.env);
  await eventually('the worker to be ready', () => output().includes('"working"'));
  child.kill(signal);
  expect(await ended()).toBe(0);
  expect(output()).toContain('"stopped"');
});

test.each([
  ['api', 'PORT', (port: number) => String(port)],
  ['demo API', 'PORT', (port: number) => String(port)],
  ['bot', 'DEMO_BOT_URL', (port: number) => `http://127.0.0.1:${port}`],
] as const)(
  'if the port of the %s is in use, it names %s and ends with code 1',
  async (role, setting, of) => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    try {
      const { port } = other.address() as { port: number };
      const { output, ended } = launch([ENTRIES[role]], { ...world.env, [setting]: of(port) });
      expect(await ended()).toBe(1);
      expect(output()).toMatch(new RegExp(`EADDRINUSE.*: set ${setting} to a free port`));
    } finally {
      other.close();
    }
  },
);

test('a demo bot with an invalid address prints the problem in one line and ends with code 1', async () => {
  const { output, ended } = launch([ENTRIES.bot], { ...world.env, DEMO_BOT_URL: 'localhost:4000' });
  expect(await ended()).toBe(1);
  expect(output()).toBe(
    'the demo bot cannot start: DEMO_BOT_URL must be an origin such as http://127.0.0.1:4000\n',
  );
});

test('a worker whose standard output is closed keeps working and shuts down gracefully', async () => {
  const { child, output, ended } = launch([ENTRIES.worker], { ...world.env, LOG_LEVEL: 'trace' });
  await eventually('the worker to be ready', () => output().includes('"working"'));
  child.stdout.destroy();
  child.stderr.destroy();
  const api = await world.api();
  const company = await world.documents.company();
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  await world.jobIn(emissionId, 'completed');
  child.kill('SIGTERM');
  expect(await ended()).toBe(0);
});

/** A program that runs as ours do; `lines` are in its start. */
function program(lines: string): string[] {
  const from = (file: string) => JSON.stringify(new URL(`../../src/process/${file}`, import.meta.url).href);
  return [
    '--input-type=module',
    '-e',
    `const { runUntilStopped } = await import(${from('run.ts')});
     const { createLogger } = await import(${from('logger.ts')});
     const { logger, close } = createLogger({ level: 'info', dir: process.env.LOG_DIR, name: 'test' });
     runUntilStopped({ name: 'the test', logger, flushLogs: close, async start() {
       let close = async () => {};
       setInterval(() => {}, 1000);
       ${lines}
       return { close };
     } });`,
  ];
}

test.each([
  ['an error in a timer', 'setTimeout(() => { throw new Error("the cause") }, 1);', 'crashed'],
  ['an error in each turn', 'setInterval(() => { throw new Error("the cause") }, 1);', 'crashed'],
  ['a rejection', 'void Promise.reject(new Error("the cause"));', 'crashed'],
  ['something thrown that is no error', 'setTimeout(() => { throw "the cause" }, 1);', 'crashed'],
  ['an error in the start', 'throw new Error("the cause");', 'not started'],
  [
    'an error in the end',
    'close = () => Promise.reject(new Error("the cause")); setTimeout(() => process.emit("SIGTERM"), 1);',
    'not closed cleanly',
  ],
])('%s ends the process with code 1, and is logged once', async (_, lines, event) => {
  const { output, ended } = launch(program(lines), { LOG_DIR: world.env['LOG_DIR']! });
  expect(await ended()).toBe(1);
  const logged = output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(`"msg":"${event}"`));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('the cause');
});
