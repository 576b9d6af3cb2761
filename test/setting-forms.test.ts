import { describe, expect, test } from '@jest/globals';
import { ConfigError, loadApiConfig, loadWorkerConfig } from '../src/config.ts';
import { readRedisUrl } from '../src/settings/redis-url.ts';

const WORKER = { MONGODB_URI: 'mongodb://localhost:27017/petbuddy', REDIS_URL: 'redis://localhost:6379' };
const KEY = 'k'.repeat(32);
const SECRET = 'j'.repeat(32);
const API = {
  ...WORKER,
  INTERNAL_SERVICE_API_KEY: KEY,
  SOCKET_JWT_SECRET: SECRET,
  ADMIN_USER: 'admin',
  ADMIN_PASSWORD: 'a-long-password',
};

function problems(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadApiConfig({ ...API, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** Expects one problem, which begins with the setting's name and contains no secret. */
function expectRefused(name: string, value: string, words: RegExp): void {
  const found = problems({ [name]: value });
  expect(found).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
  expect(found[0]).toMatch(words);
  expect(found[0]).not.toMatch(/s3cret|jane/);
}

test('a missing SOCKET_JWT_SECRET is reported together with all other problems', () => {
  const found = problems({
    SOCKET_JWT_SECRET: undefined,
    PORT: 'x',
    MONGODB_URI: 'mongodb://h',
    METRICS_PORT: '-1',
  });
  expect(found.map((problem) => problem.split(' ')[0])).toEqual([
    'MONGODB_URI',
    'METRICS_PORT',
    'PORT',
    'SOCKET_JWT_SECRET',
  ]);
});

test('equal secrets are reported together with all other problems', () => {
  expect(problems({ ADMIN_PASSWORD: KEY, PORT: 'x' })).toHaveLength(2);
});

describe('white space, line ends and a byte-order mark around a value are removed', () => {
  const around = (value: string) => [
    `${value}\n`,
    `${value}\r\n`,
    ` ${value} `,
    `\ufeff${value}`,
    `\t${value}\u00a0`,
    `\n  ${value}`,
  ];
  test.each([
    ...around(KEY).map((value) => ['INTERNAL_SERVICE_API_KEY', value, [KEY]] as const),
    ...around(SECRET).map((value) => ['SOCKET_JWT_SECRET', value, SECRET] as const),
    ...around('a-long-password').map((value) => ['ADMIN_PASSWORD', value, 'a-long-password'] as const),
    ...around('3002').map((value) => ['PORT', value, 3002] as const),
    ...around('on').map((value) => ['ADMIN_WRITES', value, true] as const),
    ...around('off').map((value) => ['ADMIN_WRITES', value, false] as const),
    ...around(WORKER.REDIS_URL).map((value) => ['REDIS_URL', value, WORKER.REDIS_URL] as const),
    ...around(WORKER.MONGODB_URI).map((value) => ['MONGODB_URI', value, WORKER.MONGODB_URI] as const),
  ])('%s=%j', (name, value, expected) => {
    expect(loadApiConfig({ ...API, [name]: value })).toHaveProperty(name, expected);
  });

  test('they do not count in the length of a secret', () => {
    expectRefused('SOCKET_JWT_SECRET', `${SECRET.slice(1)}\n`, /at least 32 characters/);
  });
});

test.each([
  ['INTERNAL_SERVICE_API_KEY', `"${KEY}"`, /quotes/],
  ['SOCKET_JWT_SECRET', `'${SECRET}'`, /quotes/],
  ['PORT', '"3001"', /quotes/],
  ['LOG_DIR', '`logs`', /quotes/],
  ['INTERNAL_SERVICE_API_KEY', `${KEY}\n${KEY}`, /line break/],
  ['SOCKET_JWT_SECRET', `${SECRET}\r\n${SECRET}`, /line break/],
  ['ADMIN_PASSWORD', 'a-long\u200bpassword', /invisible/],
  ['INTERNAL_SERVICE_API_KEY', `${KEY} ${KEY}`, /without spaces/],
  ['INTERNAL_SERVICE_API_KEY', 'ü'.repeat(32), /ASCII/],
  ['INTERNAL_SERVICE_API_KEY', ',', /at least one key/],
  ['ADMIN_USER', '  ', /only white space/],
  ['PORT', '+3', /digits/],
  ['PORT', '1e3', /digits/],
  ['METRICS_PORT', '3001', /differ from PORT/],
  ['TRUST_PROXY', 'true', /whole number from 0 to 10/],
  ['TRUST_PROXY', 'loopback', /whole number from 0 to 10/],
  ['QUEUE_PREFIX', '{a*}', /letters, digits/],
  ['ADMIN_WRITES', 'true', /on or off/],
])('%s=%j is refused, and the message has the remedy', (name, value, words) => {
  expectRefused(name, value, words);
});

describe('REDIS_URL', () => {
  test.each([
    ['redis://h/prod', /number of a database/],
    ['redis://h/1.5', /number of a database/],
    ['redis://h/-1', /number of a database/],
    ['redis://h/0/x', /number of a database/],
    ['redis://jane:s3cret#x@h', /percent-encode/],
    ['redis://jane:s3cret/x@h', /percent-encode/],
    ['redis://jane:s3cret?x@h', /percent-encode/],
    ['redis://jane:s3cret@x@h', /percent-encode/],
    ['redis://jane:s3cret%x@h', /percent-encode/],
    ['redis://jane:s3cret,x@h', /percent-encode/],
    ['redis+sentinel://jane:s3cret/x@h/master', /percent-encode/],
    ['redis://', /usable host/],
    ['redis://:6379', /usable host/],
    ['redis://::1:6379', /brackets/],
    ['redis://h o', /usable host/],
    ['redis://h:port', /usable host/],
    ['redis://h:0', /1 to 65535/],
    ['redis://h:99999', /1 to 65535/],
    ['redis://h?family=6', /no options/],
    ['/var/run/redis.sock', /must be redis:/],
    ['localhost:6379', /must be redis:/],
    ['redis://a,', /empty entry/],
    ['redis://jane:s3cret@a,redis://jane:x@b', /same user name and password/],
    ['redis://jane:s3cret@a,redis://joe:s3cret@b', /same user name and password/],
    ['redis://a,rediss://b', /same scheme/],
    ['redis://a/1,redis://b', /only database 0/],
    ['redis+sentinel://a:p/master', /usable host/],
    ['redis+sentinel://a', /name the master/],
    ['redis+sentinel://a//0', /name the master/],
    ['redis+sentinel://a/ma in', /name the master/],
    ['redis+sentinel://a/%main', /name the master/],
    ['redis+sentinel://a/main%', /name the master/],
    ['redis+sentinel://a/master/x', /number of a database/],
    ['redis+sentinel://a/master/0/1', /number of a database/],
  ])('%s is refused', (url, words) => {
    expectRefused('REDIS_URL', url, words);
  });

  const none = { username: undefined, password: undefined };
  test.each([
    [
      'redis://h:6379/',
      { kind: 'server', nodes: [{ host: 'h', port: 6379 }], tls: false, database: 0, ...none },
    ],
    ['REDISS://H/2', { kind: 'server', nodes: [{ host: 'h', port: 6379 }], tls: true, database: 2, ...none }],
    ['redis://[::1]:7000', { kind: 'server', nodes: [{ host: '::1', port: 7000 }] }],
    ['redis://münchen.example', { nodes: [{ host: 'xn--mnchen-3ya.example', port: 6379 }] }],
    ['redis://@h', { nodes: [{ host: 'h', port: 6379 }], ...none }],
    ['redis://u:p%40%23%2F@h', { username: 'u', password: 'p@#/' }],
    ['redis://:a:b@h', { username: undefined, password: 'a:b' }],
    [
      'redis://:x@a:1 , redis://b:2,c',
      {
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
          { host: 'c', port: 6379 },
        ],
        password: 'x',
      },
    ],
    ['redis://a,redis://a', { kind: 'cluster', nodes: [{ host: 'a', port: 6379 }] }],
    [
      'redis+sentinel://u:p@a:1,[::1]/main/3',
      {
        kind: 'sentinel',
        nodes: [
          { host: 'a', port: 1 },
          { host: '::1', port: 26379 },
        ],
        master: 'main',
        database: 3,
        username: 'u',
        password: 'p',
      },
    ],
  ])('%s is parsed', (url, expected) => {
    expect(problems({ REDIS_URL: url })).toEqual([]);
    expect(readRedisUrl(url)).toMatchObject(expected);
  });
});

describe('MONGODB_URI', () => {
  test.each([
    ['mongodb://h', /name the database/],
    ['mongodb://h/', /name the database/],
    ['mongodb://h/?replicaSet=rs0', /name the database/],
    ['mongodb+srv://h.example.com/?retryWrites=true', /name the database/],
    ['mongodb://h/a.b', /cannot exist/],
    ['mongodb://h/a%20b', /cannot exist/],
    [`mongodb://h/${'x'.repeat(64)}`, /at most 63 bytes/],
    ['mongodb+srv://h.example.com:27017/petbuddy', /cannot have port/],
    ['mongodb://h:0/petbuddy', /port/i],
    ['mongodb://h:99999/petbuddy', /99999/],
    ['mongodb://a,/petbuddy', /without a host/],
    ['mongodb:///petbuddy', /without a host/],
    ['mongodb://jane:s3cret#x@h/petbuddy', /percent-encode/],
    ['mongodb://jane:s3cret/x@h/petbuddy', /percent-encode/],
    ['mongodb://jane:s3cret?x@h/petbuddy', /percent-encode/],
    ['mongodb://jane:x?s3cret=x@h/petbuddy', /percent-encode/],
    ['mongodb://jane:s3cret@x@h/petbuddy', /percent-encode/],
    ['mongodb://jane:s3cret%x@h/petbuddy', /percent-encode/],
    ['mongodb://h/petbuddy?colour=red', /colour/],
  ])('%s is refused', (uri, words) => {
    expectRefused('MONGODB_URI', uri, words);
  });

  test.each([
    ['MONGODB://h/petbuddy', 'mongodb://h/petbuddy'],
    ['mongodb://[::1]:27017/petbuddy', 'mongodb://[::1]:27017/petbuddy'],
    ['mongodb://a,b:1/petbuddy?replicaSet=x', 'mongodb://a,b:1/petbuddy?replicaSet=x'],
    ['mongodb://u:p%40@h/petbuddy?appName=a@b', 'mongodb://u:p%40@h/petbuddy?appName=a@b'],
  ])('%s is accepted', (uri, accepted) => {
    expect(loadWorkerConfig({ ...WORKER, MONGODB_URI: uri }).MONGODB_URI).toBe(accepted);
  });
});

describe('CORS_ORIGIN', () => {
  test.each([
    'null',
    'https://*.example.com',
    'https://a.example.com/x',
    'https://a.example.com?x',
    'https://u@a.example.com',
    'ftp://a.example.com',
    'xhttps://a.example.com',
    'https://a.example.com:port',
    '//a.example.com',
  ])('%s is refused', (origin) => {
    expectRefused('CORS_ORIGIN', origin, /such as https:/);
  });

  test('origins are compared as browsers send them', () => {
    const CORS_ORIGIN = 'HTTPS://A.Example.com , https://b.example.com:443,http://münchen.example:80,';
    expect(loadApiConfig({ ...API, CORS_ORIGIN }).CORS_ORIGIN).toEqual([
      'https://a.example.com',
      'https://b.example.com',
      'http://xn--mnchen-3ya.example',
    ]);
  });
});

describe('quotes that do not enclose a value', () => {
  test.each(['a"b"', '"a"b', `"a'`, 'a"'])('are part of it: %s', (LOG_DIR) => {
    expect(loadApiConfig({ ...API, LOG_DIR }).LOG_DIR).toBe(LOG_DIR);
  });
});

describe('SOCKET_JWKS_URL', () => {
  const given = { ...API, SOCKET_JWT_SECRET: undefined };

  test.each([
    ['https://id.example.com/keys', 'https://id.example.com/keys'],
    ['HTTP://ID.example.com:80', 'http://id.example.com/'],
  ])('%s is read as %s', (SOCKET_JWKS_URL, expected) => {
    expect(loadApiConfig({ ...given, SOCKET_JWKS_URL }).SOCKET_JWKS_URL).toBe(expected);
  });

  test.each([
    ['id.example.com/keys', /must be an address such as https:/],
    ['file:///keys', /must be an address such as https:/],
    ['//https://id.example.com', /must be an address such as https:/],
    ['https://', /must be an address such as https:/],
    ['https://jane@id.example.com', /must not contain a user name or password/],
    ['https://:s3cret@id.example.com', /must not contain a user name or password/],
    ['https://jane:s3cret@id.example.com', /must not contain a user name or password/],
  ])('%s is refused', (SOCKET_JWKS_URL, words) => {
    const [problem, ...others] = problems({ ...given, SOCKET_JWKS_URL });
    expect(others).toEqual([]);
    expect(problem).toMatch(words);
    expect(problem).not.toMatch(/s3cret|jane/);
  });
});

describe('BASE_PATH', () => {
  test.each([
    ['/calendar', '/calendar'],
    ['/calendar/', '/calendar'],
    ['calendar', '/calendar'],
    ['/a/b', '/a/b'],
    ['/a.b_c~d-1', '/a.b_c~d-1'],
    ['/...', '/...'],
    [' /x\n', '/x'],
    ['/', undefined],
    ['', undefined],
  ])('%j is read as %s', (BASE_PATH, expected) => {
    expect(loadApiConfig({ ...API, BASE_PATH }).BASE_PATH).toBe(expected);
  });

  test.each([
    '//',
    '/a//b',
    '/a b',
    '/a?b',
    '/a#b',
    'https://a/b',
    '/.',
    '/..',
    '/a/..',
    '/ü',
    '/a*',
    '/x"y',
    '/%2e',
  ])('%s is refused', (path) => {
    expectRefused('BASE_PATH', path, /must be a path such as .*letters, digits/);
  });
});

test('the default channel name contains database and queue prefix, and is the same for API and workers', () => {
  const key = (env: Record<string, string>) => {
    const keys = [loadApiConfig({ ...API, ...env }), loadWorkerConfig({ ...WORKER, ...env })].map(
      ({ SOCKET_ADAPTER_KEY }) => SOCKET_ADAPTER_KEY,
    );
    expect(keys[0]).toBe(keys[1]);
    return keys[0];
  };
  const other = [
    {},
    { REDIS_URL: 'redis://localhost/1' },
    { REDIS_URL: 'redis+sentinel://a/main/2' },
    { QUEUE_PREFIX: '{staging}' },
    { REDIS_URL: 'redis://localhost/1', QUEUE_PREFIX: '{staging}' },
  ].map(key);
  expect(new Set(other).size).toBe(other.length);
  expect(key({ REDIS_URL: 'redis://localhost/0' })).toBe(other[0]);
  expect(key({ SOCKET_ADAPTER_KEY: 'mine' })).toBe('mine');
});
