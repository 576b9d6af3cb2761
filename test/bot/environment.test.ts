import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import {
  closeRealtimeAppointments,
  createRealtimeAppointments,
  emitAppointmentCanceled,
  emitAppointmentCreated,
  emitAppointmentDeleted,
  emitAppointmentUpdated,
  emitBatch,
} from '@appointment-emissions/bot';
import { closeAfterEach, COMPANY, ID, KEY, readLog, startBackend, temporaryDirectory } from './bot-world.ts';

closeAfterEach();

const NAMES = ['BACKEND_API_URL', 'INTERNAL_SERVICE_API_KEY', 'LOG_DIR'] as const;
const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]));
let logDir: string;

beforeEach(async () => {
  // Without a logger, the console gets the reasons of failed calls.
  for (const method of ['warn', 'error'] as const)
    jest.spyOn(console, method).mockImplementation(() => undefined);
  logDir = await temporaryDirectory();
  for (const name of NAMES) Reflect.deleteProperty(process.env, name);
  process.env.LOG_DIR = logDir;
});
afterEach(async () => {
  jest.restoreAllMocks();
  await closeRealtimeAppointments();
  for (const name of NAMES) {
    if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = before[name];
  }
});

test('the exported functions read address, key and log folder from the environment at the first call', async () => {
  const backend = await startBackend();
  process.env.BACKEND_API_URL = backend.url;
  process.env.INTERNAL_SERVICE_API_KEY = `${KEY},an-older-key-0123456789abcdef0123456789`;

  expect(await emitAppointmentCreated(ID)).toBe(true);
  expect(await emitAppointmentUpdated(ID)).toBe(true);
  expect(await emitAppointmentCanceled(ID)).toBe(true);
  expect(await emitAppointmentDeleted(ID, COMPANY)).toBe(true);
  expect(await emitBatch([{ event: 'appointment:created', appointmentId: ID }])).toBe(true);
  await closeRealtimeAppointments();

  expect(backend.received.map(({ headers }) => headers['x-api-key'])).toEqual(Array(5).fill(KEY));
  expect((await readLog(logDir)).map(({ message }) => message)).toEqual([
    'Successfully emitted appointment:created socket event',
    'Successfully emitted appointment:updated socket event',
    'Successfully emitted appointment:canceled socket event',
    'Successfully emitted appointment:deleted socket event',
    'Successfully emitted appointment:created socket event',
  ]);
});

test('without INTERNAL_SERVICE_API_KEY calls are false, and the log has a warning', async () => {
  expect(await emitAppointmentCreated(ID)).toBe(false);
  await closeRealtimeAppointments();
  expect(await readLog(logDir)).toEqual([
    expect.objectContaining({
      level: 'warn',
      message: 'Failed to emit socket event',
      reason: 'INTERNAL_SERVICE_API_KEY is not set',
    }),
  ]);
});

test('the default of backendUrl is http://localhost:3001', async () => {
  process.env.INTERNAL_SERVICE_API_KEY = KEY;
  await emitAppointmentCreated(undefined);
  const { toSettings } = await import('../../packages/bot/src/options.ts');
  expect(toSettings({}).backendUrl?.href).toBe('http://localhost:3001/');
});

test('address and key can be in a config object; the options override it', async () => {
  const [configured, explicit] = [await startBackend(), await startBackend()];
  const config = { backend: { apiUrl: configured.url }, security: { internalApiKey: `${KEY},older` } };
  const bot = createRealtimeAppointments({ config, logDir });
  expect(await bot.emitAppointmentCreated(ID)).toBe(true);
  await bot.close();
  expect(configured.received.map(({ headers }) => headers['x-api-key'])).toEqual([KEY]);

  const other = createRealtimeAppointments({ config, logDir, backendUrl: explicit.url, apiKey: 'other' });
  expect(await other.emitAppointmentCreated(ID)).toBe(true);
  await other.close();
  expect(explicit.received.map(({ headers }) => headers['x-api-key'])).toEqual(['other']);
  expect(configured.received).toHaveLength(1);
});

test('after closeRealtimeAppointments the environment is read again', async () => {
  expect(await emitAppointmentCreated(ID)).toBe(false);
  await closeRealtimeAppointments();
  const backend = await startBackend();
  process.env.BACKEND_API_URL = backend.url;
  process.env.INTERNAL_SERVICE_API_KEY = KEY;
  expect(await emitAppointmentCreated(ID)).toBe(true);
});

test.each([
  ['a line end after both', (key: string, url: string) => [`${key}\n`, `${url}\r\n`]],
  ['a byte-order mark and spaces', (key: string, url: string) => [`\ufeff${key}`, ` ${url} `]],
  ['a final slash and no scheme', (key: string, url: string) => [key, `${new URL(url).host}/`]],
  ['an empty first key', (key: string, url: string) => [` ,${key}`, url.toUpperCase()]],
])('settings with %s are accepted', async (_, write) => {
  const backend = await startBackend();
  const [key, url] = write(KEY, backend.url);
  process.env.BACKEND_API_URL = url;
  process.env.INTERNAL_SERVICE_API_KEY = key;
  expect(await emitAppointmentCreated(ID)).toBe(true);
  expect(backend.received.map(({ headers }) => headers['x-api-key'])).toEqual([KEY]);
});

test.each([
  ['a line break inside the key', `${KEY}\n${KEY}`, 'http://localhost:3001', /^INTERNAL_SERVICE_API_KEY/],
  ['a key in quotes', `"${KEY}"`, 'http://localhost:3001', /^INTERNAL_SERVICE_API_KEY/],
  ['a key that is not ASCII', 'ü'.repeat(32), 'http://localhost:3001', /^INTERNAL_SERVICE_API_KEY/],
  ['an address without scheme and port', KEY, 'api.example.com', /^BACKEND_API_URL/],
  ['an address with another scheme', KEY, 'ws://localhost:3001', /^BACKEND_API_URL/],
  ['an address with a port that does not exist', KEY, 'http://localhost:99999', /^BACKEND_API_URL/],
])('%s: calls are false, and the log names the setting without its value', async (_, key, url, words) => {
  process.env.BACKEND_API_URL = url;
  process.env.INTERNAL_SERVICE_API_KEY = key;
  expect(await emitAppointmentCreated(ID)).toBe(false);
  await closeRealtimeAppointments();
  const [line] = await readLog(logDir);
  expect(line).toMatchObject({ level: 'error', reason: expect.stringMatching(words) as unknown });
  expect(JSON.stringify(line)).not.toContain(KEY);
});
