import { expect, test } from '@jest/globals';
import { loadApiConfig, loadWorkerConfig, SETTING_NAMES } from '../../src/config.ts';
import { API_LIMITS } from '../../src/settings/limits.ts';
import { USAGE } from '../../packages/mcp/src/settings.ts';
import { filesBelow, readPage, tableUnder } from './pages.ts';

const page = readPage('docs/reference/configuration.md');
const TABLES = { 'API and worker': 'both', 'Worker only': 'worker', 'API only': 'api' };
const settings = Object.entries(TABLES).flatMap(([heading, readBy]) =>
  (tableUnder(page, heading) as { setting: string; default: string }[]).map((row) => ({ ...row, readBy })),
);
const example = readPage('.env.example');

/** The smallest environment that is accepted. */
const MIN_ENV: Record<string, string> = {
  MONGODB_URI: 'mongodb://localhost:27017/petbuddy',
  REDIS_URL: 'redis://localhost:6379',
  INTERNAL_SERVICE_API_KEY: 'k'.repeat(32),
  SOCKET_JWT_SECRET: 's'.repeat(32),
  ADMIN_USER: 'admin',
  ADMIN_PASSWORD: 'p'.repeat(12),
};
/** Usable values of settings without a default. */
const SAMPLES: Record<string, string> = {
  ...MIN_ENV,
  SOCKET_JWKS_URL: 'https://id.example.com/keys',
  SOCKET_JWT_ISSUER: 'https://id.example.com',
  SOCKET_JWT_AUDIENCE: 'dashboards',
  METRICS_PORT: '9100',
  BASE_PATH: '/calendar',
  CORS_ORIGIN: 'https://calendar.example.com',
  OPERATORS_FILE: 'operators.txt',
};

test('docs/reference/configuration.md lists every setting, and no other', () => {
  expect(settings.map(({ setting }) => setting).sort()).toEqual([...SETTING_NAMES].sort());
});

test.each(settings)(
  '$setting: the documented default is the default of the code',
  ({ setting, default: documented }) => {
    if (documented === 'required') {
      const without = Object.fromEntries(Object.entries(MIN_ENV).filter(([name]) => name !== setting));
      expect(() => loadApiConfig(without)).toThrow(`${setting} is required`);
    } else {
      const [api, worker] = readWith(setting, undefined);
      if (documented === 'none') expect([api[setting] ?? [], worker[setting] ?? []]).toEqual([[], []]);
      else expect(readWith(setting, documented)).toEqual([api, worker]);
    }
  },
);

test.each(settings)('$setting: the documented processes read it', (row) => {
  const [api, worker] = readWith(row.setting, SAMPLES[row.setting] ?? row.default);
  expect({ api: row.setting in api, worker: row.setting in worker }).toEqual({
    api: row.readBy !== 'worker',
    worker: row.readBy !== 'api',
  });
});

const limit = (name: keyof typeof API_LIMITS): string => API_LIMITS[name].toLocaleString('en');
const kilobytes = (name: keyof typeof API_LIMITS): string => `${API_LIMITS[name] / 1_024} kB`;
const seconds = (name: keyof typeof API_LIMITS): string => `${API_LIMITS[name] / 1_000} s`;

test.each([
  `${kilobytes('MAX_BODY_BYTES')} of body (a batch ${kilobytes('MAX_BATCH_BYTES')})`,
  `${kilobytes('MAX_HEADER_BYTES')} in at most ${limit('MAX_HEADERS')} headers`,
  `${seconds('HEADERS_TIMEOUT_MS')} for its headers and ${seconds('REQUEST_TIMEOUT_MS')} in all`,
  `${limit('MAX_AUTH_FAILURES_PER_MINUTE')} wrong credentials a minute`,
  `${limit('MAX_CONNECTIONS_PER_ADDRESS')} connections to a process`,
  `${limit('MAX_SOCKETS_PER_ADDRESS')} sockets per address`,
  `${limit('MAX_SOCKETS_PER_COMPANY')} per company`,
  `${limit('MAX_LISTS_PER_VIEWER_PER_SECOND')} lists and catch-ups a second`,
  `${limit('MAX_CATCH_UPS_PER_SECOND')} catch-up and ${limit('MAX_MESSAGES_PER_SECOND')} messages a second`,
  `messages of up to ${kilobytes('MAX_MESSAGE_BYTES')}`,
  `reads nothing of a response for ${seconds('RESPONSE_STALL_TIMEOUT_MS')}`,
  `leaves ${API_LIMITS.MAX_UNSENT_BYTES / 1_024 / 1_024} MB unread`,
  `at most ${limit('MAX_REPLAYED_EMISSIONS')} emissions`,
  `remembered for ${API_LIMITS.IDEMPOTENCY_TTL_SECONDS / 60} minutes`,
])('docs/reference/configuration.md has the values of the limits: %s', (text) => {
  expect(page.split('## Limits')[1]?.split('\n## ')[0]).toContain(text);
});

test('no limit is a setting', () => {
  const asSettings = Object.fromEntries(Object.keys(API_LIMITS).map((name) => [name, '7']));
  expect(loadApiConfig({ ...MIN_ENV, ...asSettings })).toMatchObject(API_LIMITS);
});

test('the bot’s table lists the variables that the library reads', () => {
  const read = [...readPage('packages/bot/src/index.ts').matchAll(/process\.env\.(\w+)/g)].map(
    ([, name]) => name,
  );
  const documented = tableUnder(page, "The bot's library").map(({ setting }) => setting);
  expect(documented.sort()).toEqual([...new Set(read)].sort());
});

test('the MCP server’s table lists the variables that it reads, and its help names them too', () => {
  const read = [...readPage('packages/mcp/src/settings.ts').matchAll(/\benv\.([A-Z_]+)/g)].map(
    ([, name]) => name,
  );
  const documented = tableUnder(page, 'The MCP server').map(({ setting }) => setting);
  expect(documented.sort()).toEqual([...new Set(read)].sort());
  for (const name of documented) expect(USAGE).toContain(name);
});

test('the table of npm start lists the variables that its scripts read besides the settings', () => {
  const machine = new Set(['PATH', 'HOME', 'NODE_OPTIONS', 'TMPDIR']);
  const read = ['.mjs', '.ts']
    .flatMap((extension) => filesBelow('scripts', extension))
    .flatMap((file) =>
      [...readPage(file).matchAll(/process\.env\.([A-Z][A-Z_]+)|prescribedSource\('(\w+)'/g)].map(
        ([, variable, source]) => variable ?? source ?? '',
      ),
    );
  const own = [...new Set(read)].filter((name) => !machine.has(name) && !SETTING_NAMES.includes(name));
  const documented = tableUnder(page, '`npm start` and `npm test`').map(({ setting }) => setting);
  expect(documented.sort()).toEqual(own.sort());
});

test('.env.example names every setting, with the documented defaults', () => {
  const lines = example.split('\n').flatMap((line) => {
    const [, comment, name, value] = /^(#?)([A-Z][A-Z_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : { name, value, isComment: comment === '#' };
  });
  const expected = [...SETTING_NAMES, 'BACKEND_API_URL'];
  expect(lines.map(({ name }) => name).sort()).toEqual(expected.sort());

  const documented = new Map(settings.map((row) => [row.setting, row.default]));
  for (const { name, value, isComment } of lines) {
    const standard = documented.get(name);
    // Required settings are not commented out; optional ones show their default.
    if (standard === 'required') expect({ name, isComment }).toEqual({ name, isComment: false });
    else if (standard !== undefined) expect({ name, isComment }).toEqual({ name, isComment: true });
    if (standard !== undefined && !['required', 'none'].includes(standard))
      expect({ name, value }).toEqual({ name, value: standard });
  }
});

test('.env.example holds no secret', () => {
  for (const name of ['INTERNAL_SERVICE_API_KEY', 'SOCKET_JWT_SECRET', 'ADMIN_PASSWORD'])
    expect(example).toMatch(new RegExp(`^${name}=$`, 'm'));
});

/** The settings of API and worker with one more variable. */
function readWith(
  name: string,
  value: string | undefined,
): [Record<string, unknown>, Record<string, unknown>] {
  const env: Record<string, string | undefined> = {
    ...MIN_ENV,
    ...(value !== undefined && { [name]: value }),
  };
  if (name === 'SOCKET_JWKS_URL' && value !== undefined) delete env['SOCKET_JWT_SECRET'];
  if (name === 'OPERATORS_FILE' && value !== undefined)
    Object.assign(env, { ADMIN_USER: undefined, ADMIN_PASSWORD: undefined });
  return [loadApiConfig(env), loadWorkerConfig(env)];
}
