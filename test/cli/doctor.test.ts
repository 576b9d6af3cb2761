import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mongoose';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { checkNode } from '../../src/cli/check-settings.ts';
import { examine } from '../../src/cli/doctor.ts';
import type { Finding } from '../../src/cli/findings.ts';
import { DEFAULT_DESCRIPTION, DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import { createModels } from '../../src/population/models.ts';
import { ownRedis } from '../harness/own-services.ts';
import { ownRedisWithUsers } from '../harness/redis-users.ts';
import { shiftedBy } from '../harness/shifted-clock.ts';
import { createWorld, withDatabase } from '../harness/world.ts';
import { writeModel } from '../model/write-model.ts';
import { line, withFile, writeOperators } from '../operate/operators-file.ts';
import { startRewritingProxy } from '../population/rewriting-proxy.ts';
import { runCli } from './run-cli.ts';

const random = () => randomBytes(32).toString('hex');
const GOOD = {
  INTERNAL_SERVICE_API_KEY: random(),
  SOCKET_JWT_SECRET: random(),
  ADMIN_USER: 'ann',
  ADMIN_PASSWORD: random(),
  CORS_ORIGIN: 'https://calendar.example.com',
  LOG_FILES: '0',
};
/** As docs/guides/redis.md demands. */
const REDIS_ARGS = ['--appendfsync', 'always'];

let redis: Awaited<ReturnType<typeof ownRedisWithUsers>>;
let env: Record<string, string>;
beforeAll(async () => {
  redis = await ownRedisWithUsers({ extraArgs: REDIS_ARGS });
  env = {
    ...GOOD,
    REDIS_URL: redis.urls.api,
    MONGODB_URI: withDatabase(process.env['TEST_MONGODB_URI']!, `doctor-${randomUUID().slice(0, 8)}`),
  };
  await withMongo(async (models) => {
    await createIndexes(models);
  });
});
afterAll(async () => {
  await withMongo(({ connection }) => connection.dropDatabase());
  await redis.redis.stop();
});

let ownServer: ServiceHandle | undefined;
afterEach(async () => {
  await ownServer?.stop();
  ownServer = undefined;
});

async function withMongo(work: (models: ReturnType<typeof createModels>) => Promise<unknown>): Promise<void> {
  const connection = createConnection();
  await connection.openUri(env['MONGODB_URI']!);
  await work(createModels(connection, DEFAULT_MODEL));
  await connection.close();
}

const errorsOf = (findings: readonly Finding[]) =>
  findings.filter(({ severity }) => severity === 'error').map(({ text, advice }) => [text, advice]);

test('a good set-up has no error, and the exit code is 0', async () => {
  const { code, out } = await runCli(env, 'doctor');
  expect(out).toMatch(/^ok {7}rights: those of the user api in ops\/redis\/users\.acl$/m);
  expect(out).toMatch(/^ok {7}append-only file$/m);
  expect(out).toMatch(/^ok {7}indexes of the list route and the sweep$/m);
  expect(out).toMatch(/^ok {7}secrets: none is easy to guess$/m);
  expect(out).toMatch(/^ok {7}this machine's clock agrees with Redis' and MongoDB's$/m);
  expect(out).toMatch(/^0 errors, \d warnings?$/m);
  expect(code).toBe(0);
});

test('a good set-up of a worker with capture has no error', async () => {
  const settings = { ...env, REDIS_URL: redis.urls.worker, CAPTURE: 'change-stream' };
  const findings = await examine(settings, 'worker');
  expect(errorsOf(findings)).toEqual([]);
  expect(findings).toContainEqual({ severity: 'ok', text: 'capture: the change stream opens' });
});

test('eviction, a missing append-only file and unused Redis users are reported', async () => {
  ownServer = await ownRedis({
    appendOnly: false,
    extraArgs: ['--maxmemory-policy', 'allkeys-lru', '--slowlog-log-slower-than', '10000'],
  });
  const findings = await examine({ ...env, REDIS_URL: ownServer.url }, 'api');
  expect(errorsOf(findings)).toEqual([
    ['maxmemory-policy is allkeys-lru: Redis can evict jobs and logs', expect.stringContaining('noeviction')],
    [
      'Redis has no append-only file: a crash loses accepted emissions',
      expect.stringContaining('appendonly yes and appendfsync always'),
    ],
  ]);
  const warnings = findings.flatMap(({ severity, text }) => (severity === 'warning' ? text : []));
  expect(warnings).toEqual(
    expect.arrayContaining([
      'slowlog-log-slower-than is 10000: this log keeps personal data of published messages',
      'the user in REDIS_URL may run every command, so that this process can delete all data',
    ]),
  );
});

test("an API with the worker's user, which lacks rights, is reported", async () => {
  const findings = await examine({ ...env, REDIS_URL: redis.urls.worker }, 'api');
  expect(errorsOf(findings)).toEqual([
    [
      expect.stringMatching(/^the user in REDIS_URL lacks .*~\{emissions\}:idempotency:\*/),
      expect.stringContaining('load the rules for api in ops/redis/users.acl'),
    ],
  ]);
});

test('a wrong password and an unavailable MongoDB are reported', async () => {
  const url = new URL(redis.urls.api);
  url.password = 'wrong';
  const absent = 'mongodb://127.0.0.1:9/petbuddy';
  const findings = await examine({ ...env, REDIS_URL: url.href, MONGODB_URI: absent }, 'api');
  expect(errorsOf(findings)).toEqual([
    [
      expect.stringMatching(/REDIS_URL does not respond: .*user or password in REDIS_URL is wrong/),
      expect.any(String),
    ],
    [expect.stringMatching(/MONGODB_URI does not respond: .*ECONNREFUSED/), expect.any(String)],
  ]);
  expect(JSON.stringify(findings)).not.toContain('wrong@');
});

test('a database without indexes and a model that cannot be loaded are reported', async () => {
  const empty = withDatabase(env['MONGODB_URI']!, `doctor-${randomUUID().slice(0, 8)}`);
  const findings = await examine({ ...env, MONGODB_URI: empty }, 'api');
  expect(errorsOf(findings)).toEqual(
    ['{"companyId":1,"start":1}', '{"updatedAt":1,"_id":1}'].map((key) => [
      `appointments has no index on ${key}`,
      'run npm run db:indexes',
    ]),
  );
  expect(errorsOf(await examine({ ...env, EMISSIONS_MODEL: './absent.js' }, 'api'))).toEqual([
    [expect.stringContaining('EMISSIONS_MODEL: the module cannot be loaded'), expect.any(String)],
  ]);
});

test('a model description with a collection that the database does not have is reported', async () => {
  const world = await createWorld();
  try {
    const { appointment } = await world.documents.company();
    await appointment();
    const settings = { ...env, MONGODB_URI: world.env['MONGODB_URI']! };
    const good = { severity: 'ok', text: expect.stringContaining('model: appointments') };
    expect(await examine(settings, 'api')).toContainEqual(good);

    const pets = { collection: 'animals', fields: ['name'] };
    const description = {
      ...DEFAULT_DESCRIPTION,
      references: { ...DEFAULT_DESCRIPTION.references, petId: pets },
    };
    const findings = await examine({ ...settings, EMISSIONS_MODEL: writeModel(description) }, 'api');
    expect(findings).toContainEqual({
      severity: 'warning',
      text: 'petId never resolves: the collection animals does not exist or is empty',
      advice: 'check the database in MONGODB_URI, and EMISSIONS_MODEL',
    });
    expect(findings).not.toContainEqual(good);
  } finally {
    await world.close();
  }
});

test('a Redis and a Node.js that are too old are reported', async () => {
  // The real server answers, with another major version.
  const version = Buffer.from('redis_version:');
  const old = await startRewritingProxy(redis.urls.api, {
    received(bytes) {
      const at = bytes.indexOf(version);
      if (at >= 0) bytes.write('5', at + version.length);
    },
  });
  const url = new URL(redis.urls.api);
  url.port = new URL(old.uri).port;
  const findings = await examine({ ...env, REDIS_URL: url.href }, 'api');
  old.close();
  expect(errorsOf(findings)).toEqual([
    [expect.stringMatching(/^(Redis 5|Valkey \d).* is too old$/), 'install Redis 7.2 or newer, or Valkey'],
  ]);
  expect(checkNode('18.20.8')).toEqual({
    severity: 'error',
    text: 'Node.js 18.20.8 is too old',
    advice: 'install Node.js 24',
  });
});

test('guessable secrets, an unencrypted JWKS and unchecked certificates are reported', async () => {
  const weak = {
    INTERNAL_SERVICE_API_KEY: `${random()},${'ab'.repeat(20)}`,
    SOCKET_JWT_SECRET: 'this-is-the-secret-of-our-dashboards',
    ADMIN_PASSWORD: 'hunter2hunter2',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  };
  const findings = await examine({ ...env, ...weak }, 'api');
  expect(errorsOf(findings).map(([text]) => text)).toEqual([
    'INTERNAL_SERVICE_API_KEY is easy to guess',
    'SOCKET_JWT_SECRET is easy to guess',
    'ADMIN_PASSWORD is easy to guess',
    'NODE_TLS_REJECT_UNAUTHORIZED=0: certificates are not checked',
  ]);
  expect(JSON.stringify(findings)).not.toMatch(/hunter2|dashboards"|abab/);

  const jwks = { SOCKET_JWT_SECRET: '', SOCKET_JWKS_URL: 'http://id.example.com/keys' };
  expect(errorsOf(await examine({ ...env, ...jwks }, 'api'))).toEqual([
    ['SOCKET_JWKS_URL is not encrypted: its keys can be forged on the way', 'use an https address'],
  ]);
});

test('missing settings are reported, each once, and the servers are not checked without their addresses', async () => {
  const { code, out } = await runCli({ ...env, REDIS_URL: '', SOCKET_JWT_SECRET: 'short' }, 'doctor');
  expect(code).toBe(1);
  const errors = out.split('\n').filter((line) => line.startsWith('error'));
  expect(errors).toEqual([
    expect.stringContaining('REDIS_URL is required'),
    expect.stringContaining('SOCKET_JWT_SECRET must have at least 32 characters'),
    expect.stringContaining('Redis and MongoDB were not checked'),
  ]);
});

test('a clock that is a minute ahead is reported', async () => {
  const { code, out } = await runCli({ ...env, ...shiftedBy(60_000) }, 'doctor');
  expect(code).toBe(1);
  expect(out).toMatch(/^error {4}this machine's clock is 60 s ahead of Redis'$/m);
  expect(out).toMatch(/^error {4}this machine's clock is 60 s ahead of MongoDB's$/m);
});

test('servers on other machines without encryption are a warning', async () => {
  const remote = { REDIS_URL: 'redis://10.9.8.7', MONGODB_URI: 'mongodb://db.example.com/petbuddy' };
  const { checkSettings } = await import('../../src/cli/check-settings.ts');
  const { findings } = checkSettings(
    { ...env, ...remote, CORS_ORIGIN: 'http://calendar.example.com' },
    'api',
  );
  expect(findings.filter(({ severity }) => severity === 'warning').map(({ text }) => text)).toEqual([
    'REDIS_URL is not encrypted: published appointments can be read on the way',
    'MONGODB_URI is not encrypted: appointments can be read on the way',
    'CORS_ORIGIN http://calendar.example.com is not encrypted: tokens can be read on the way',
  ]);
});

test('the file of operators is checked', async () => {
  const { checkSettings } = await import('../../src/cli/check-settings.ts');
  const check = (text: string) => {
    const path = writeOperators(text);
    const { findings } = checkSettings({ ...env, ...withFile(path) }, 'api');
    return findings.map((finding) => finding.text).filter((found) => /operators|OPERATORS/.test(found));
  };
  expect(check(line('ann', 'repair', 'a-long-password'))).toEqual(['operators: 1']);
  expect(check(line('ann', 'view', 'a-long-password'))).toEqual(['OPERATORS_FILE: no operator may repair']);
  expect(check('ann')).toEqual(['OPERATORS_FILE is not usable: line 1: the role must be view or repair']);
});
