import { describe, expect, test } from '@jest/globals';
import { ConfigError, loadApiConfig, loadWorkerConfig } from '../src/config.ts';

const SECRET = 's'.repeat(32);
const WORKER = { MONGODB_URI: 'mongodb://localhost:27017/petbuddy', REDIS_URL: 'redis://localhost:6379' };
const API = {
  ...WORKER,
  INTERNAL_SERVICE_API_KEY: SECRET,
  SOCKET_JWT_SECRET: 'j'.repeat(32),
  ADMIN_USER: 'admin',
  ADMIN_PASSWORD: 'a-long-password',
};

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
const problems = (env: Record<string, string | undefined>) =>
  problemsOf(() => loadApiConfig({ ...API, ...env }));

test('all problems are reported at once, each with the name of its setting', () => {
  const load = () =>
    loadApiConfig({ REDIS_URL: 'localhost', PORT: 'http', ADMIN_PASSWORD: 'short', CORS_ORIGIN: '*' });
  const found = problemsOf(load);
  expect(found.map((problem) => problem.split(' ')[0]).sort()).toEqual([
    'ADMIN_PASSWORD',
    'ADMIN_USER',
    'CORS_ORIGIN',
    'INTERNAL_SERVICE_API_KEY',
    'MONGODB_URI',
    'PORT',
    'REDIS_URL',
    'SOCKET_JWT_SECRET',
  ]);
  expect(load).toThrow(found[0]);
  expect(load).toThrow(found.at(-1));
});

test('settings that are not required have defaults', () => {
  expect(loadApiConfig(API)).toMatchObject({
    PORT: 3001,
    SOCKET_TRANSPORTS: ['polling', 'websocket'],
    CORS_ORIGIN: [],
    ADMIN_WRITES: false,
    EMISSION_ATTEMPTS: 8,
  });
  expect(loadWorkerConfig(WORKER)).toMatchObject({ WORKER_CONCURRENCY: 200, RECONCILE_INTERVAL_MS: 5_000 });
  expect(loadApiConfig(API).METRICS_PORT).toBeUndefined();
});

test('an empty value counts as missing', () => {
  expect(loadApiConfig({ ...API, PORT: '', METRICS_PORT: '', CORS_ORIGIN: '' })).toMatchObject({
    PORT: 3001,
    CORS_ORIGIN: [],
  });
  expect(problems({ ADMIN_USER: '' })).toEqual(['ADMIN_USER is required, unless OPERATORS_FILE is set']);
});

describe('secrets', () => {
  test.each([
    ['INTERNAL_SERVICE_API_KEY', 'INTERNAL_SERVICE_API_KEY is required'],
    ['ADMIN_USER', 'ADMIN_USER is required, unless OPERATORS_FILE is set'],
    ['ADMIN_PASSWORD', 'ADMIN_PASSWORD is required, unless OPERATORS_FILE is set'],
    ['SOCKET_JWT_SECRET', 'SOCKET_JWT_SECRET is required, unless SOCKET_JWKS_URL is set'],
  ])('%s has no default', (name, problem) => {
    expect(problems({ [name]: undefined })).toEqual([problem]);
  });

  test('that are too short are refused, also in a list of keys', () => {
    const short = SECRET.slice(1);
    expect(problems({ SOCKET_JWT_SECRET: short })).toEqual([
      'SOCKET_JWT_SECRET must have at least 32 characters',
    ]);
    expect(problems({ INTERNAL_SERVICE_API_KEY: `${SECRET},${short}` })).toEqual([
      'INTERNAL_SERVICE_API_KEY must have at least 32 characters',
    ]);
    expect(problems({ ADMIN_PASSWORD: 'eleven-char' })).toHaveLength(1);
    expect(problems({ ADMIN_USER: 'ad:min' })).toHaveLength(1);
  });

  test('never appear in the message', () => {
    const env = { ...API, INTERNAL_SERVICE_API_KEY: 'key-in-clear', ADMIN_PASSWORD: 'pw-in-clear' };
    const message = problemsOf(() => loadApiConfig(env)).join();
    expect(message).not.toContain('in-clear');
  });

  test('either SOCKET_JWT_SECRET or SOCKET_JWKS_URL is set, not both', () => {
    const SOCKET_JWKS_URL = 'https://id.example.com/keys';
    expect(problems({ SOCKET_JWT_SECRET: undefined, SOCKET_JWKS_URL })).toEqual([]);
    expect(problems({ SOCKET_JWKS_URL })).toEqual([
      'SOCKET_JWKS_URL and SOCKET_JWT_SECRET exclude each other: set only one',
    ]);
    expect(problems({ SOCKET_JWT_SECRET: undefined, SOCKET_JWKS_URL: 'ftp://id.example.com' })).toHaveLength(
      1,
    );
  });
});

test('OPERATORS_FILE replaces the settings of the one operator', () => {
  const file = { OPERATORS_FILE: '/etc/emissions/operators' };
  expect(problems({ ...file, ADMIN_USER: undefined, ADMIN_PASSWORD: undefined })).toEqual([]);
  expect(problems({ ...file, ADMIN_PASSWORD: undefined, ADMIN_WRITES: 'on' })).toEqual([
    'ADMIN_USER has no effect with OPERATORS_FILE: set only one of them',
    'ADMIN_WRITES has no effect with OPERATORS_FILE: set only one of them',
  ]);
});

test.each([
  ['SOCKET_JWT_SECRET', 'INTERNAL_SERVICE_API_KEY'],
  ['ADMIN_PASSWORD', 'INTERNAL_SERVICE_API_KEY'],
  ['ADMIN_PASSWORD', 'SOCKET_JWT_SECRET'],
])('%s must differ from %s, also from each key of a list', (name, other) => {
  const same = 'x'.repeat(32);
  const others = other === 'INTERNAL_SERVICE_API_KEY' ? `${SECRET},${same}` : same;
  const found = problems({ [name]: same, [other]: others });
  expect(found).toEqual([
    expect.stringMatching(new RegExp(`^${name} must not be an INTERNAL_SERVICE_API_KEY`)),
  ]);
  expect(found.join()).not.toContain(same);
});

test('one log file is refused, since it would be deleted when it is full', () => {
  expect(() => loadWorkerConfig({ ...WORKER, LOG_FILES: '1' })).toThrow('LOG_FILES must be 0, or 2 or more');
  for (const files of [0, 2, 1_000])
    expect(loadWorkerConfig({ ...WORKER, LOG_FILES: String(files) }).LOG_FILES).toBe(files);
});

test('several keys are separated by commas, with or without spaces', () => {
  const [one, two] = ['1'.repeat(32), '2'.repeat(32)];
  const { INTERNAL_SERVICE_API_KEY } = loadApiConfig({
    ...API,
    INTERNAL_SERVICE_API_KEY: ` ${one} , ${two},`,
  });
  expect(INTERNAL_SERVICE_API_KEY).toEqual([one, two]);
});

test.each([
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '0x10'],
  ['PORT', ' '],
  ['METRICS_PORT', '1e3'],
  ['EMISSION_ATTEMPTS', '0'],
  ['EMISSION_ATTEMPTS', '1.5'],
  ['REDIS_URL', 'http://localhost:6379'],
  ['REDIS_URL', 'redis://one,,redis://two'],
  ['MONGODB_URI', 'localhost:27017'],
  ['QUEUE_PREFIX', 'emissions'],
  ['SOCKET_ADAPTER_KEY', 'a*'],
  ['SOCKET_TRANSPORTS', 'websocket,flash'],
  ['SOCKET_TRANSPORTS', ','],
  ['CORS_ORIGIN', '*'],
  ['CORS_ORIGIN', 'https://calendar.example.com/'],
  ['CORS_ORIGIN', 'calendar.example.com'],
  ['ADMIN_WRITES', 'yes'],
  ['LOG_LEVEL', 'loud'],
])('%s=%s is refused, with one problem that names it', (name, value) => {
  const found = problems({ [name]: value });
  expect(found.map((problem) => problem.split(' ')[0])).toEqual([name]);
});

test.each([
  ['REDIS_URL', 'rediss://user:secret@cache.example.com:6380/2'],
  ['REDIS_URL', 'redis://one:6379,redis://two:6379'],
  ['REDIS_URL', 'redis+sentinel://user:secret@one:26379,two:26379/main/0'],
  ['MONGODB_URI', 'mongodb+srv://cluster.example.com/petbuddy'],
  ['CORS_ORIGIN', 'https://calendar.example.com, http://localhost:5173'],
  ['SOCKET_TRANSPORTS', 'websocket'],
])('%s=%s is accepted', (name, value) => {
  expect(problems({ [name]: value })).toEqual([]);
});
