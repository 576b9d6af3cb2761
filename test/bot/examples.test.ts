import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { io } from 'socket.io-client';
import type { RunningApi } from '../../src/api/start-api.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { later, temporaryDirectory } from './bot-world.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

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
  const child = spawn(process.execPath, [...SOURCE_ARGS, path.join(EXAMPLES, name)], {
    env: childEnv(env),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  later(async () => {
    child.kill();
    await exited;
  });
  return {
    exited,
    say: (line: unknown) => child.stdin.write(`${JSON.stringify(line)}\n`),
    end: () => child.stdin.end(),
    line: async () => String((await lines.next()).value),
  };
}

test('the bot books, and the dashboard shows it', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const bot = startExample('bot.ts', {
    MONGODB_URI: world.env.MONGODB_URI!,
    COMPANY_ID: company.companyId,
    BACKEND_API_URL: api.url,
    INTERNAL_SERVICE_API_KEY: API_KEY,
    LOG_DIR: await temporaryDirectory(),
  });
  bot.say({
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
  const heard = await dashboard.receive(({ event }) => event === 'appointment:created');
  expect(heard.payload.appointment).toMatchObject({
    start: '2031-05-14T08:30:00.000Z',
    petId: { name: 'Rex' },
  });
  bot.say({ name: 'cancel_appointment', arguments: { appointmentId: heard.payload.appointment._id } });
  expect(JSON.parse(await bot.line())).toMatchObject({ ok: true, message: 'Canceled.' });
  await dashboard.receive(({ event }) => event === 'appointment:canceled');
  bot.end();
  expect((await bot.exited)[0]).toBe(0);
});

test('curl.sh: every call is answered as it says', async () => {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  // On a busy machine the database may take longer than the API waits for it: 500, and worth another try.
  const { stdout } = await eventually('curl.sh to be answered', () =>
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

describe('an existing backend that adopts the pipeline', () => {
  test('serves its own, and the emissions of each company to that company', async () => {
    const [company, other] = [await world.documents.company(), await world.documents.company()];
    const backend = startExample('existing-backend/backend.ts', {
      PORT: '0',
      REDIS_URL: world.env.REDIS_URL!,
      SOCKET_ADAPTER_KEY: world.env.SOCKET_ADAPTER_KEY!,
      SESSIONS: JSON.stringify({ ann: company.companyId, bob: other.companyId }),
    });
    const url = (await backend.line()).replace('listening on ', '');
    const open = async (session: string) => {
      const heard: string[] = [];
      const socket = io(url, { forceNew: true, auth: { session } });
      later(() => socket.close());
      socket.on('appointment:created', ({ appointment }: { appointment: { _id: string } }) => {
        heard.push(appointment._id);
      });
      await new Promise((resolve, reject) =>
        socket.once('welcome', resolve as () => void).once('connect_error', reject),
      );
      return { socket, heard };
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
    expect(ann.heard).toEqual([first]);
    expect(bob.heard).toEqual([second]);
  });
});
