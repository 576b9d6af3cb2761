import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { io } from 'socket.io-client';
import type { RunningApi } from '../../src/api/start-api.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { absentUrl, closeAfterEach, later, type LogLine, readLog, temporaryDirectory } from './bot-world.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

closeAfterEach();

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const run = promisify(execFile);

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld();
  api = await world.api();
  world.worker();
});
afterAll(() => world.close());

function startExample(name: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [...SOURCE_ARGS, path.resolve(EXAMPLES, name)], {
    env: childEnv(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (errors += part));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, 'close');
  later(async () => {
    child.kill();
    await exited;
  });
  return {
    exited,
    send: (line: unknown) => child.stdin.write(`${JSON.stringify(line)}\n`),
    end: () => child.stdin.end(),
    line: async () => String((await lines.next()).value),
    /** What it wrote to standard error. */
    errors: () => errors,
    errorLines: () =>
      errors
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as LogLine),
  };
}

test('bot.ts: its booking is on the dashboard', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const bot = startExample('bot.ts', {
    MONGODB_URI: world.env.MONGODB_URI!,
    COMPANY_ID: company.companyId,
    BACKEND_API_URL: api.url,
    INTERNAL_SERVICE_API_KEY: API_KEY,
    LOG_DIR: await temporaryDirectory(),
  });
  bot.send({
    name: 'book_appointment',
    arguments: {
      customerId: String(company.customer._id),
      petId: String(company.pet._id),
      serviceId: String(company.service._id),
      staffId: String(company.staff._id),
      start: '2031-05-14T10:30:00+02:00',
      durationMinutes: 60,
    },
  });
  expect(JSON.parse(await bot.line())).toMatchObject({ ok: true, message: 'Booked.' });
  const received = await dashboard.receive(({ event }) => event === 'appointment:created');
  expect(received.payload.appointment).toMatchObject({
    start: '2031-05-14T08:30:00.000Z',
    petId: { name: 'Rex' },
  });
  bot.send({ name: 'cancel_appointment', arguments: { appointmentId: received.payload.appointment._id } });
  expect(JSON.parse(await bot.line())).toMatchObject({ ok: true, message: 'Canceled.' });
  await dashboard.receive(({ event }) => event === 'appointment:canceled');
  bot.end();
  expect((await bot.exited)[0]).toBe(0);
});

describe('bot-drop-in: a bot in JavaScript, whose handlers import utils/realtimeAppointments.js', () => {
  /** A copy of the example in which that file is `helper`. */
  async function copyDropIn(helper: string): Promise<string> {
    const directory = await temporaryDirectory();
    await cp(path.join(EXAMPLES, 'bot-drop-in'), directory, { recursive: true });
    await writeFile(path.join(directory, 'package.json'), '{"type": "module"}');
    await symlink(path.join(EXAMPLES, '../node_modules'), path.join(directory, 'node_modules'));
    const utils = path.join(directory, 'utils');
    await copyFile(path.join(utils, helper), path.join(utils, 'realtimeAppointments.js'));
    return directory;
  }

  test('the file is one line that re-exports the package', async () => {
    const text = await readFile(path.join(EXAMPLES, 'bot-drop-in/utils/realtimeAppointments.js'), 'utf8');
    expect(text).toBe("export * from '@appointment-emissions/bot';\n");
  });

  test.each(['realtimeAppointments.js', 'realtimeAppointments.configured.js'])(
    '%s: its bookings, moves and cancelations are on the dashboard',
    async (helper) => {
      const company = await world.documents.company();
      const dashboard = await world.dashboard(api, company.companyId);
      const logDir = await temporaryDirectory();
      const bot = startExample(path.join(await copyDropIn(helper), 'bot.js'), {
        MONGODB_URI: world.env.MONGODB_URI!,
        BACKEND_API_URL: api.url,
        INTERNAL_SERVICE_API_KEY: API_KEY,
        LOG_DIR: logDir,
      });
      const context = {
        companyId: company.companyId,
        contactId: String(company.customer._id),
        timeZone: 'Europe/Berlin',
      };
      const call = async (tool: string, args: object): Promise<Record<string, unknown>> => {
        bot.send({ tool, args, context });
        return JSON.parse(await bot.line()) as Record<string, unknown>;
      };
      const shown = async (event: string) =>
        (await dashboard.receive((one) => one.event === event)).payload.appointment;

      const booked = await call('book_appointment', { time: '2031-05-14 10:30', pet_id: company.pet._id });
      expect(booked).toMatchObject({ success: true, message: 'The appointment is booked.' });
      const { appointment_id } = booked;
      expect(await shown('appointment:created')).toMatchObject({
        _id: appointment_id,
        start: '2031-05-14T08:30:00.000Z',
        petId: { name: 'Rex' },
      });
      await call('reschedule_appointment', { appointment_id, time: '2031-12-14 10:30' });
      expect(await shown('appointment:updated')).toMatchObject({ start: '2031-12-14T09:30:00.000Z' });
      await call('cancel_appointment', { appointment_id, reason: 'ill' });
      expect(await shown('appointment:canceled')).toMatchObject({ status: 'canceled' });
      bot.end();
      expect((await bot.exited)[0]).toBe(0);
      const lines = helper.includes('configured') ? bot.errorLines() : await readLog(logDir);
      expect(lines.map(({ level, message }) => [level, message])).toEqual([
        ['info', 'Successfully emitted appointment:created socket event'],
        ['info', 'Successfully emitted appointment:updated socket event'],
        ['info', 'Successfully emitted appointment:canceled socket event'],
      ]);
    },
  );

  test.each([
    ['tomorrow at 14:00', 'Europe/Berlin', '2031-10-27T13:00:00.000Z'],
    ['2031-10-26 01:30', 'Europe/Berlin', '2031-10-25T23:30:00.000Z'],
    ['2031-03-30 01:30', 'Europe/Berlin', '2031-03-30T00:30:00.000Z'],
    ['2031-11-02 03:00', 'America/New_York', '2031-11-02T08:00:00.000Z'],
    ['2031-03-09 03:30', 'America/New_York', '2031-03-09T07:30:00.000Z'],
  ])('"%s" in %s is right on the day of a clock change', async (text, timeZone, expected) => {
    const file = path.join(EXAMPLES, 'bot-drop-in/utils/parseTime.js');
    const { parseTime } = (await import(file)) as {
      parseTime: (text: string, timeZone: string, now: Date) => Date;
    };
    // In Berlin it is 00:30 of a day with 25 hours.
    const now = new Date('2031-10-25T22:30:00Z');
    expect(parseTime(text, timeZone, now).toISOString()).toBe(expected);
  });

  test('without a backend each call is done, and the console has a warning', async () => {
    const company = await world.documents.company();
    const bot = startExample(path.join(await copyDropIn('realtimeAppointments.configured.js'), 'bot.js'), {
      MONGODB_URI: world.env.MONGODB_URI!,
      BACKEND_API_URL: await absentUrl(),
      INTERNAL_SERVICE_API_KEY: API_KEY,
    });
    const appointment_id = await company.appointment();
    bot.send({
      tool: 'cancel_appointment',
      args: { appointment_id },
      context: { companyId: company.companyId },
    });
    expect(JSON.parse(await bot.line())).toMatchObject({ success: true, appointment_id });
    bot.end();
    expect((await bot.exited)[0]).toBe(0);
    expect(bot.errors()).toContain(`[cancel_appointment] Failed to emit socket event ${appointment_id}`);
    expect(bot.errors()).toContain('"reason":"network error"');
  });
});

test('curl.sh: each call gets the reply that its comment states', async () => {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  // On a busy machine the database may exceed the time limit of the API, which then replies 500.
  const { stdout } = await eventually('all replies to curl.sh', () =>
    run(path.join(EXAMPLES, 'curl.sh'), [appointmentId, api.url], {
      env: childEnv({ KEY: API_KEY }),
      timeout: 30_000,
    }),
  );
  const replies = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(replies.slice(0, 3).map(({ event }) => event)).toEqual([
    'appointment:created',
    'appointment:updated',
    'appointment:canceled',
  ]);
  expect(replies[3]).toEqual(replies[4]);
  expect(replies[5]).toMatchObject({ accepted: 1, rejected: 1 });
  expect(replies[6]).toMatchObject({ success: true });
});

describe('backend-beside.ts: a backend whose dashboards receive the events of a stand-alone API', () => {
  test('serves its own routes, and sends the emissions of each company to that company', async () => {
    const [company, other] = [await world.documents.company(), await world.documents.company()];
    const backend = startExample('backend-beside.ts', {
      PORT: '0',
      REDIS_URL: world.env.REDIS_URL!,
      SOCKET_ADAPTER_KEY: world.env.SOCKET_ADAPTER_KEY!,
      SESSIONS: JSON.stringify({ ann: company.companyId, bob: other.companyId }),
    });
    const url = (await backend.line()).replace('listening on ', '');
    const open = async (session: string) => {
      const received: string[] = [];
      const socket = io(url, { forceNew: true, auth: { session } });
      later(() => socket.close());
      socket.on('appointment:created', ({ appointment }: { appointment: { _id: string } }) => {
        received.push(appointment._id);
      });
      await new Promise((resolve, reject) =>
        socket.once('welcome', resolve as () => void).once('connect_error', reject),
      );
      return { socket, received };
    };
    const [ann, bob] = [await open('ann'), await open('bob')];
    await expect(open('nobody')).rejects.toThrow('not logged in');
    const own = await fetch(`${url}/api/company`, { headers: { 'x-session': 'ann' } });
    expect(await own.json()).toEqual({ companyId: company.companyId });
    expect(await ann.socket.timeout(5_000).emitWithAck('presence')).toBe(2);

    const first = await company.appointment();
    const next = new Promise((resolve) => ann.socket.once('appointment:created', resolve as () => void));
    await world.emit(api, 'appointment-created', first);
    await next;
    const toBob = new Promise((resolve) => bob.socket.once('appointment:created', resolve as () => void));
    const second = await other.appointment();
    await world.emit(api, 'appointment-created', second);
    await toBob;
    expect(ann.received).toEqual([first]);
    expect(bob.received).toEqual([second]);
  });
});
