import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { childEnv } from '../harness/child-env.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson).scripts;

interface PackageJson {
  scripts: Record<string, string>;
}

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const build = npm('build', {});
  expect(await build.ended).toBe(0);
}, 180_000);
afterAll(() => world.close());

test.each([
  ['start:api', 'listening'],
  ['start:worker', 'working'],
])(
  'npm run %s: a SIGTERM to npm ends the server process',
  async (script, ready) => {
    const run = npm(script, world.env);
    await eventually(`${script} to log "${ready}"`, () => run.output().includes(`"${ready}"`), 30_000);
    const [server] = descendantsOf(run.pid);
    run.kill('SIGTERM');
    await run.ended;
    await eventually('the server process to end', () => !existsSync(`/proc/${server!}`));
    expect(run.output()).toContain('"stopped"');
  },
  90_000,
);

test.each(['start:api', 'start:worker', 'db:indexes', 'emissions'])(
  'npm run %s without a build names the command that builds',
  async (script) => {
    const command = scripts[script]!.replaceAll('dist/', 'no-dist/');
    const run = start('sh', ['-c', command], {});
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^no-dist\/\S+ does not exist: run "npm run build" first\n$/);
  },
);

test('every npm script of a single program replaces its shell, so that signals reach the program', () => {
  const single = Object.entries(scripts).filter(([, command]) => /^(exec )?node /.test(command));
  expect(single.filter(([, command]) => !command.startsWith('exec ')).map(([name]) => name)).toEqual([]);
});

function npm(script: string, env: Record<string, string>) {
  return start('npm', ['run', script], env);
}

function start(command: string, args: string[], env: Record<string, string>) {
  const child: ChildProcess = spawn(command, args, {
    cwd: ROOT,
    env: childEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  return {
    pid: child.pid!,
    output: () => output,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    ended: once(child, 'close').then(([code]) => code as number | null),
  };
}

/** Process ids of the last generation below a process. */
function descendantsOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return children.flatMap((child) => {
    const below = descendantsOf(Number(child));
    return below.length > 0 ? below : [Number(child)];
  });
}
