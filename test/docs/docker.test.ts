import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadApiConfig, loadWorkerConfig, SETTING_NAMES } from '../../src/config.ts';
import { readPage, ROOT } from './pages.ts';

interface Service {
  build?: { context: string; args: string[] };
  image?: string;
  command?: string | string[];
  environment?: Record<string, string>;
  env_file?: { path: string; required: boolean }[];
  profiles?: string[];
  ports?: string[];
  mem_limit?: string;
  logging?: { options: Record<string, string> };
  depends_on?: Record<string, { condition: string }>;
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

/** Required settings without a default in docker-compose.yml. */
const SECRETS = {
  INTERNAL_SERVICE_API_KEY: 'k'.repeat(32),
  SOCKET_JWT_SECRET: 's'.repeat(32),
  ADMIN_USER: 'admin',
  ADMIN_PASSWORD: 'p'.repeat(12),
};

test('with secrets in .env the processes get settings that they accept, and no unknown ones', () => {
  for (const service of [api, worker, indexes]) {
    expect(service.env_file).toEqual([{ path: '.env', required: false }]);
    const names = Object.keys(service.environment ?? {});
    expect(names.filter((name) => !SETTING_NAMES.includes(name))).toEqual([]);
  }
  expect(loadApiConfig({ ...SECRETS, ...api.environment })).toMatchObject({
    REDIS_URL: 'redis://redis:6379',
    PORT: 3001,
    LOG_FILES: 0,
  });
  expect(loadWorkerConfig({ ...worker.environment })).toMatchObject({ REDIS_URL: 'redis://redis:6379' });
});

test('without a profile only the servers start, and need no variable', () => {
  const withoutProfile = Object.entries(compose.services).filter(([, { profiles }]) => !profiles);
  expect(withoutProfile.map(([name]) => name)).toEqual(['mongodb', 'redis']);
  const variables = readPage('docker-compose.yml').match(/\$\{?\w+[^}]*\}?/g);
  expect(variables).toEqual(['${MONGODB_PORT:-27017}', '${REDIS_PORT:-6379}', '${PORT:-3001}']);
});

test('every port is open on loopback alone; logs and memory have limits; images have a minor version', () => {
  for (const [name, { ports = [], logging, mem_limit, image, build }] of Object.entries(compose.services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect({ name, options: logging?.options }).toEqual({
      name,
      options: { 'max-size': expect.any(String), 'max-file': expect.any(String) },
    });
    expect({ name, mem_limit }).toEqual({ name, mem_limit: expect.stringMatching(/^\d+g$/) });
    if (build === undefined) expect(image).toMatch(/:\d+\.\d+$/);
  }
  for (const stage of stages) expect(stage).toMatch(/^node:24\.\d+-slim/);
});

test('there are two workers; they and the API wait for the indexes, and these for both servers', () => {
  expect(worker.deploy?.replicas).toBe(2);
  const servers = { mongodb: { condition: 'service_healthy' }, redis: { condition: 'service_healthy' } };
  expect(indexes.depends_on).toEqual(servers);
  for (const { depends_on } of [api, worker])
    expect(depends_on).toEqual({
      ...servers,
      indexes: { condition: 'service_completed_successfully' },
    });
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

test('the image knows the commit that it is built from', () => {
  for (const stage of stages) expect(stage).toMatch(/^ARG BUILD_COMMIT$/m);
  expect(stages[1]).toMatch(/^LABEL org\.opencontainers\.image\.revision=\$BUILD_COMMIT$/m);
  for (const { build } of [api, worker, indexes]) expect(build?.args).toEqual(['BUILD_COMMIT']);
});

/** The command of the image. */
function imageCommand(): string[] {
  return JSON.parse(/^CMD (\[.+\])$/m.exec(stages[1] ?? '')?.[1] ?? '[]') as string[];
}
