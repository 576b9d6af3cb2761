import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/process/free-port.ts';
import { signalGroup } from '../../scripts/process/group.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { childEnv } from '../harness/child-env.ts';
import { ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { readPage, ROOT } from './pages.ts';

/** Folders that are not in git. */
const NOT_COPIED = new Set(['node_modules', 'dist', '.git', '.runtime', 'logs', '.env']);
/** Redis' own defaults: the settings that a test server has x. */
const REDIS_DEFAULTS = [
  ...['--appendonly', 'no', '--appendfsync', 'everysec'],
  ...['--maxmemory-policy', 'volatile-lru', '--slowlog-log-slower-than', '10000'],
];

const section = readPage('docs/guides/production.md').split('\n## Install\n')[1]?.split('\n## ')[0] ?? '';
const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code = '']) => ({
  language,
  code,
}));
const commands = blocks.flatMap(({ language, code }) => (language === 'sh' ? code : []));
const [build = '', check = '', start = '', look = '', libraries = ''] = commands;

let world: World;
let redis: ServiceHandle;
/** The copy of the repository in which the commands run. */
let checkout: string;
let port: number;
const started: ChildProcess[] = [];
beforeAll(async () => {
  const conf =
    blocks
      .find(({ language }) => language === 'conf')
      ?.code.trim()
      .split(/\s+/) ?? [];
  const settings = conf.map((word, index) => (index % 2 === 0 ? `--${word}` : word));
  redis = await ownRedis({ extraArgs: [...REDIS_DEFAULTS, ...settings] });
  world = await createWorld({ redisUrl: redis.url });
  port = await freePort();
  // Outside of the checkout, which cannot be copied into itself.
  checkout = join(mkdtempSync(join(tmpdir(), 'readme-')), 'checkout');
  cpSync(ROOT, checkout, { recursive: true, filter: (from) => !NOT_COPIED.has(basename(from)) });
});
afterAll(async () => {
  for (const { pid } of started) signalGroup(pid!, 'SIGKILL');
  rmSync(join(checkout, '..'), { recursive: true, force: true });
  await world.close();
  await redis.stop();
});

/** Runs commands in a shell, as a reader who copies them. @throws with their output if one fails */
function inShell(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = childEnv({ npm_config_prefer_offline: 'true', npm_config_audit: 'false' });
    execFile('bash', ['-ec', script], { cwd: checkout, env, maxBuffer: 1e8 }, (error, out, err) => {
      if (error) reject(new Error(`${script}\n${out.slice(-3_000)}\n${err.slice(-3_000)}`));
      else resolve(out);
    });
  });
}

/** Sets variables in .env, as a reader with an editor. */
function edit(variables: Record<string, string>): void {
  const file = join(checkout, '.env');
  let text = readFileSync(file, 'utf8');
  for (const [name, value] of Object.entries(variables))
    text = text.replace(new RegExp(`^#?${name}=.*$`, 'm'), () => `${name}=${value}`);
  writeFileSync(file, text);
}

const settingOf = (name: string) =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(join(checkout, '.env'), 'utf8'))?.[1] ?? '';

test('the production guide installs as written, on a machine with MongoDB and the Redis that it describes', async () => {
  expect(commands).toHaveLength(5);
  await inShell(build);
  edit({
    MONGODB_URI: world.env['MONGODB_URI']!,
    REDIS_URL: redis.url,
    CORS_ORIGIN: 'https://calendar.example.com',
    // Another service may use the default.
    PORT: String(port),
  });

  const checked = await inShell(check);
  expect(checked).toContain('\n0 errors, ');
  expect(checked).not.toMatch(/^warning.*(append|slowlog|CORS_ORIGIN|index)/m);

  for (const command of start.trim().split('\n')) {
    const child = spawn('bash', ['-c', command], {
      cwd: checkout,
      env: childEnv(),
      detached: true,
      stdio: 'ignore',
    });
    started.push(child);
  }
  const url = `http://localhost:${port}`;
  await eventually('the API to be ready', async () => (await fetch(`${url}/readyz`)).ok, 60_000);
  await eventually(
    'the worker to be counted',
    async () => (await inShell('npm run emissions -- status || true')).includes('1 API, 1 worker'),
    60_000,
  );
  const listed = await inShell(
    look.replaceAll('http://localhost:3001', url).replace('status\n', 'status || true\n'),
  );
  expect(listed).toContain('"appointments":[]');

  const bot = join(checkout, '..', 'bot');
  mkdirSync(bot);
  writeFileSync(join(bot, 'package.json'), '{ "private": true, "type": "module" }');
  await inShell(libraries);
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  writeFileSync(
    join(bot, 'bot.js'),
    `import { emitAppointmentCreated } from '@appointment-emissions/bot';
     console.log(await emitAppointmentCreated('${appointmentId}'));`,
  );
  const key = settingOf('INTERNAL_SERVICE_API_KEY');
  expect(key).toMatch(/^[\da-f]{64}$/);
  expect(
    await inShell(`cd ../bot && BACKEND_API_URL=${url} INTERNAL_SERVICE_API_KEY=${key} node bot.js`),
  ).toBe('true\n');
}, 600_000);
