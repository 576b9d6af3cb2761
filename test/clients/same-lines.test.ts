import { beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { createRealtimeAppointments, type RealtimeAppointmentsOptions } from '@appointment-emissions/bot';
import { APPOINTMENT_EVENTS } from '@appointment-emissions/contracts';
import {
  type ClientPython,
  ensureClientPython,
  PYTHON_CLIENT,
} from '../../scripts/services/python-client.ts';
import {
  absentUrl,
  closeAfterEach,
  COMPANY,
  ID,
  json,
  KEY,
  startBackend,
  type Reply,
} from '../bot/bot-world.ts';
import { childEnv } from '../harness/child-env.ts';

closeAfterEach();

type Line = Record<string, unknown>;
/** The name of a function of the bot library, and its arguments. */
type Call = [string, ...unknown[]];

interface Case {
  name: string;
  /** Without it the options have an address. */
  reply?: Reply;
  options?: RealtimeAppointmentsOptions;
  calls?: Call[];
}

const CREATED: Call = ['emitAppointmentCreated', ID];
const rejectedItem = { index: 0, status: 404, code: 'APPOINTMENT_NOT_FOUND' };
const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (response, { headers: received }) => {
    json(response, code, { success: false, code: 'REJECTED', key: received['x-api-key'] }, headers);
  };

const CASES: Case[] = [
  { name: 'each event', calls: [CREATED, ['emitAppointmentUpdated', ID], ['emitAppointmentCanceled', ID]] },
  { name: 'a deletion', calls: [['emitAppointmentDeleted', { _id: ID.toUpperCase() }, COMPANY]] },
  {
    name: 'a batch',
    calls: [
      ['emitBatch', APPOINTMENT_EVENTS.map((event) => ({ event, appointmentId: ID, companyId: COMPANY }))],
    ],
  },
  { name: 'an empty batch', calls: [['emitBatch', []]] },
  {
    name: 'invalid items of a batch',
    calls: [
      [
        'emitBatch',
        [{ event: 'x', appointmentId: ID }, { event: APPOINTMENT_EVENTS[3], appointmentId: ID }, 7],
      ],
      ['emitBatch', null],
    ],
  },
  {
    name: 'a rejected item of a batch',
    reply: (response) => {
      json(response, 202, { success: true, accepted: 0, rejected: 1, results: [rejectedItem] });
    },
    calls: [['emitBatch', [{ event: APPOINTMENT_EVENTS[0], appointmentId: ID }]]],
  },
  {
    name: 'invalid ids',
    calls: [
      ...[null, '', 'salon', `${ID}\n`].map((id): Call => ['emitAppointmentCreated', id]),
      ['emitAppointmentDeleted', ID, null],
    ],
  },
  ...[400, 401, 403, 404, 307, 429, 503].map((code) => ({
    name: `the status ${code}`,
    reply: status(code, { 'retry-after': '30', location: '/other' }),
  })),
  { name: 'retries', reply: status(503), options: { failuresToOpen: 100 } },
  { name: 'an open circuit', reply: status(503), calls: [CREATED, CREATED, CREATED, CREATED] },
  {
    name: 'the page of a proxy',
    reply: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Welcome'),
    options: { maxAttempts: 1 },
  },
  {
    name: 'no reply',
    reply: () => undefined,
    options: { deadlineMs: 200, attemptTimeoutMs: 100, maxAttempts: 1 },
  },
  { name: 'no listener', options: { backendUrl: await absentUrl() } },
  { name: 'no key', options: { apiKey: ' ' }, calls: [CREATED, ['emitBatch', []]] },
  { name: 'a key in quotes', options: { apiKey: `'${KEY}'` } },
  { name: 'another protocol', options: { backendUrl: 'ftp://backend' } },
  { name: 'a closed client', calls: [['close'], CREATED] },
];

let client: ClientPython;
beforeAll(async () => {
  client = await ensureClientPython(() => undefined);
}, 300_000);

test('the Python client writes the same log lines as the bot library', async () => {
  const cases = await Promise.all(
    CASES.map(async ({ name, reply, options = {}, calls = [CREATED] }) => {
      const { url } = await startBackend(reply);
      const given = { backendUrl: url, apiKey: KEY, firstRetryDelayMs: 5, maxRetryDelayMs: 10, ...options };
      return { name, options: given, calls };
    }),
  );
  const byPython = await linesOfPython(cases);
  for (const [index, { name, options, calls }] of cases.entries()) {
    const expected = await linesOfBot(options, calls);
    expect({ name, lines: byPython[index]?.map(comparable) }).toEqual({
      name,
      lines: expected.map(comparable),
    });
  }
}, 60_000);

async function linesOfBot(options: RealtimeAppointmentsOptions, calls: Call[]): Promise<Line[]> {
  const lines: Line[] = [];
  const bot = createRealtimeAppointments({
    ...options,
    socketFallback: false,
    logger: (level, message, fields) => {
      lines.push({ level, message, ...fields });
    },
  });
  const functions = bot as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const [name, ...args] of calls) {
    const result = await functions[name]?.(...args);
    if (name !== 'close') lines.push({ result });
  }
  await bot.close();
  // Absent fields are not undefined in a log.
  return JSON.parse(JSON.stringify(lines)) as Line[];
}

async function linesOfPython(cases: { options: object; calls: Call[] }[]): Promise<Line[][]> {
  const python = spawn(client.python, [path.join(PYTHON_CLIENT, 'tests', 'same_lines.py')], {
    env: childEnv(client.env),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  python.stdin.end(JSON.stringify(cases.map(({ options, calls }) => inPython({ options, calls }))));
  return JSON.parse(await text(python.stdout)) as Line[][];
}

/** With the names of functions, options and fields that Python uses. */
function inPython(value: unknown): unknown {
  const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      index === 0 && typeof item === 'string' ? snakeCase(item) : inPython(item),
    );
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snakeCase(name), inPython(item)]));
}

/** Without what differs from run to run, or is a text of the language's own. */
function comparable({ tookMs, stack, error, ...line }: Line): Line {
  return {
    ...line,
    types: [typeof tookMs, typeof stack, typeof error],
    ...(line['reason'] === 'timeout' ? { error } : {}),
  };
}
