import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadApiConfig, loadWorkerConfig, SETTING_NAMES } from '../../src/config.ts';
import { readPage, ROOT } from './pages.ts';

interface Service {
  build?: string;
  image?: string;
  command?: string | string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, unknown>;
  volumes?: string[];
  deploy?: { replicas: number };
  healthcheck?: { test?: string[] };
}

const compose = parse(readPage('docker-compose.yml'), { merge: true }) as {
  services: Record<'mongodb' | 'redis' | 'indexes' | 'api' | 'worker', Service>;
  volumes: Record<string, unknown>;
};
const { mongodb, redis, indexes, api, worker } = compose.services;
const dockerfile = readPage('Dockerfile').replaceAll('\\\n', ' ');
const stages = dockerfile.split(/^FROM /m).slice(1);
const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };

test('the processes get settings that they accept, and no unknown ones', () => {
  const given = (service: Service): Record<string, string> =>
    Object.fromEntries(
      Object.entries(service.environment ?? {}).map(([name, value]) => [name, interpolate(value)]),
    );
  for (const service of [api, worker, indexes])
    expect(Object.keys(given(service)).filter((name) => !SETTING_NAMES.includes(name))).toEqual([]);
  expect(loadApiConfig(given(api))).toMatchObject({ REDIS_URL: 'redis://redis:6379' });
  expect(loadWorkerConfig(given(worker))).toMatchObject({ REDIS_URL: 'redis://redis:6379' });
});

test('docker-compose.yml contains no secret, and compose refuses to start without one', () => {
  for (const name of ['INTERNAL_SERVICE_API_KEY', 'SOCKET_JWT_SECRET', 'ADMIN_PASSWORD'])
    expect(api.environment?.[name]).toMatch(new RegExp(`^\\$\\{${name}:\\?.+\\}$`));
});

test('there are two workers, and every process waits for both servers', () => {
  expect(worker.deploy?.replicas).toBe(2);
  for (const service of [api, worker, indexes])
    expect(Object.keys(service.depends_on ?? {})).toEqual(['mongodb', 'redis']);
});

test('every command runs a file of the build', () => {
  const commands = [api, worker, indexes].map(
    ({ command }) => (command as string[] | undefined) ?? imageCommand(),
  );
  for (const command of commands) {
    expect(command[0]).toBe('node');
    const file = command.at(-1) ?? '';
    const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    expect({ file, exists: existsSync(join(ROOT, source)) }).toEqual({ file, exists: true });
  }
  // npm's scripts replace their shell, and check for a build first.
  const run = Object.values(scripts).map((script) =>
    script.replace(/^exec /, '').replace('--import ./scripts/require-build.mjs ', ''),
  );
  expect(run).toEqual(expect.arrayContaining(commands.map((words) => words.join(' '))));
});

test('Redis keeps what it acknowledged, evicts nothing and logs no arguments; both servers keep their data', () => {
  expect(redis.command).toContain('--appendonly yes --appendfsync always');
  expect(redis.command).toContain('--maxmemory-policy noeviction');
  expect(redis.command).toContain('--slowlog-log-slower-than -1');
  for (const { volumes = [] } of [redis, mongodb])
    expect(Object.keys(compose.volumes)).toContain(volumes[0]?.split(':')[0]);
});

test('MongoDB becomes the replica set in the URL of the processes', () => {
  const [, set] = /replicaSet=(\w+)/.exec(api.environment?.['MONGODB_URI'] ?? '') ?? [];
  expect(mongodb.command).toEqual(expect.arrayContaining(['--replSet', set]));
  expect(mongodb.healthcheck?.test?.at(-1)).toContain(`_id: '${set}'`);
});

test('the image copies only files that exist and are in its context', () => {
  const inContext = readPage('.dockerignore').split('\n');
  const copied = [...(stages[0] ?? '').matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, files = '']) =>
    files.split(' '),
  );
  expect(copied.length).toBeGreaterThan(0);
  for (const file of copied) {
    expect({ file, exists: existsSync(join(ROOT, file)) }).toEqual({ file, exists: true });
    expect(inContext).toContain(`!${file}`);
  }
});

test('the image builds with the project’s scripts and runs as a user who is not root', () => {
  for (const [, name = ''] of dockerfile.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty(name);
  expect(stages).toHaveLength(2);
  expect(stages[1]).toMatch(/^USER node$/m);
  expect(dockerfile).toMatch(/^HEALTHCHECK .*\/livez/m);
});

/** The command of the image. */
function imageCommand(): string[] {
  return JSON.parse(/^CMD (\[.+\])$/m.exec(stages[1] ?? '')?.[1] ?? '[]') as string[];
}

/** As compose does: `${NAME:-default}`; a required one gets a long value. */
function interpolate(value: string): string {
  return value.replace(/\$\{(\w+):(-|\?)([^}]*)\}/g, (_, name: string, kind: string, rest: string) =>
    kind === '-' ? rest : `${name}-${'x'.repeat(40)}`,
  );
}
