import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Types } from 'mongoose';
import type { Browser, Page } from 'playwright-core';
import { io } from 'socket.io-client';
import { APPOINTMENT_EVENTS } from '@appointment-emissions/contracts';
import {
  copyExample,
  exampleArgs,
  type ExampleState,
  type Seeded,
  seedExample,
} from '../../scripts/example.ts';
import { childEnv } from '../harness/child-env.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { startHoldingProxy } from './hold-replies.ts';

type Environment = Record<string, string>;
export type Example = Awaited<ReturnType<typeof startExample>>;

/**
 * Starts the application of examples/existing-backend in one of its states, with a company, behind a proxy that can cut the
 * connections of its dashboards. Without a sweep, which would also announce what the seed wrote, unless `over` turns it on.
 * `world.close` ends everything.
 */
export async function startExample(state: ExampleState, over: Environment = {}) {
  const world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', ...over } });
  const dir = await mkdtemp(join(tmpdir(), 'example-'));
  world.keep(dir, () => rm(dir, { recursive: true, force: true }));
  const app = await copyExample(dir, state);
  const mongo = await startHoldingProxy(world.env['MONGODB_URI']!);
  world.keep(mongo, () => {
    mongo.close();
  });
  const JWT_SECRET = 'a-secret-of-the-application-0123456789';
  const settings = { ...world.env, MONGODB_URI: mongo.uri, JWT_SECRET };
  const seeded = await seedExample(app, childEnv(settings));
  const run = (program: string, env: Environment = {}): ChildProcess =>
    spawn(process.execPath, exampleArgs(app, program), {
      env: childEnv({ ...settings, ...env }),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  const server = await startServer(() => run('server.js'));
  world.keep(server, server.kill);
  const proxy = await startTcpProxy(server.port());
  world.keep(proxy, proxy.close);
  const url = `http://127.0.0.1:${proxy.port}`;
  const tokenOf = (fullName: string) => seeded.staff.find((one) => one.fullName === fullName)!.token;

  return {
    world,
    url,
    seeded,
    proxy,
    tokenOf,
    /** Sends a request to the appointments route, as the receptionist. */
    request: createRequest(server, tokenOf('Rosa Lind')),
    appointments: world.models.connection.collection('appointments'),
    ...createBot(run, server, seeded),

    /** Holds back the results of the next reads of the customer's name: an appointment is being populated. */
    holdPopulate(reads: number) {
      const { id: customerId } = new Types.ObjectId(seeded.customerId);
      const words = ['contacts\0', 'fullName\0', customerId];
      return mongo.holdReplies(reads, ...words.map((word) => Buffer.from(word as string)));
    },
    /** Kills the process of the application. */
    kill: server.kill,
    /** Ends it with SIGTERM. Resolves to its exit code. */
    terminate: server.terminate,
    async restart(): Promise<void> {
      await server.restart();
      proxy.leadTo(server.port());
    },

    listen: () => listen(world, url, tokenOf('Rosa Lind')),
    /** The lines of one of the application's log files. */
    log: (name: string) => readFile(join(world.env['LOG_DIR']!, name), 'utf8').catch(() => ''),
    openPage: (browser: Browser, fullName = 'Rosa Lind') => openPage(browser, `${url}/#${tokenOf(fullName)}`),
  };
}

/** The process of the application. */
interface ExampleServer {
  port: () => number;
  kill: () => Promise<void>;
  terminate: () => Promise<number | null>;
  restart: () => Promise<void>;
}

async function startServer(start: () => ChildProcess): Promise<ExampleServer> {
  let child: ChildProcess;
  let port = 0;
  async function restart(): Promise<void> {
    child = start();
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const { value } = await until('the application to listen', lines.next(), 60_000);
    port = Number(new URL(String(value).replace('listening on ', '')).port);
  }
  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }
  await restart();
  return {
    port: () => port,
    async kill() {
      if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
    },
    terminate: () => end('SIGTERM'),
    restart,
  };
}

function createRequest(server: ExampleServer, token: string) {
  return async (method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const reply = await fetch(`http://127.0.0.1:${server.port()}/api/v1/appointments${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
}

function createBot(
  run: (program: string, env: Environment) => ChildProcess,
  server: ExampleServer,
  { companyId, customerId: contactId, petId, serviceId, serviceItemId, staff }: Seeded,
) {
  return {
    /** Makes the bot, a separate process, book a time with the first groomer. Resolves to the id of the appointment. */
    async bookByBot(start: Date): Promise<string> {
      const args = { start, petId, serviceId, serviceItemId, staffId: staff[1]!.userId };
      const bot = run('bot/bot.js', { BACKEND_API_URL: `http://127.0.0.1:${server.port()}` });
      const exited = once(bot, 'exit');
      const replies = createInterface({ input: bot.stdout! })[Symbol.asyncIterator]();
      const call = { tool: 'book_appointment', args, context: { companyId, contactId } };
      bot.stdin!.end(`${JSON.stringify(call)}\n`);
      const { value } = await until('the reply of the bot', replies.next());
      await until('the end of the bot', exited);
      const reply = JSON.parse(String(value)) as { success: boolean; appointment_id: string };
      if (!reply.success) throw new Error('the bot could not book');
      return reply.appointment_id;
    },
  };
}

/** An appointment event, as a client receives it. */
export interface ExampleEvent {
  event: string;
  appointment: { _id: string; status?: string; notes?: string };
  hasMeta: boolean;
}

/** Connects a plain client. It collects all appointment events. */
async function listen(world: World, url: string, token: string): Promise<ExampleEvent[]> {
  const received: ExampleEvent[] = [];
  const socket = io(url, { forceNew: true, auth: { token } });
  world.keep(socket, () => socket.close());
  for (const event of APPOINTMENT_EVENTS) {
    socket.on(event, ({ appointment }: Pick<ExampleEvent, 'appointment'>, meta: unknown) => {
      received.push({ event, appointment, hasMeta: meta !== undefined });
    });
  }
  // The reply to a request: the socket is in the room of its company.
  await eventually('a connected client', () => socket.connected);
  await socket.timeout(5_000).emitWithAck('presence');
  return received;
}

/** Opens the application's page in a browser. */
async function openPage(browser: Browser, url: string) {
  const page: Page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(url);
  const shows = (state: string) => page.locator('#state', { hasText: new RegExp(`^${state}$`) }).waitFor();
  await shows('live');
  // No request for the list is running.
  await page.locator('#rows[aria-busy=false] tr').first().waitFor();
  const row = (id: string) => page.locator(`#a${id}`);
  return {
    problems,
    row,
    latest: () => page.locator('#latest').innerText(),
    isLive: () => shows('live'),
    isCut: () => shows('connecting'),
    showsStatus: (id: string, status: string, timeout = 15_000) =>
      page.locator(`#a${id}[data-status=${status}]`).waitFor({ timeout }),
    statusOf: (id: string) => row(id).getAttribute('data-status'),
    /** Resolves when the page has the reply to a request over its socket: it has received all earlier messages too. */
    async roundTrip(): Promise<void> {
      await page.evaluate("document.querySelector('#presence').textContent = 'Who is online?'");
      await page.locator('#presence').click();
      await page.locator('#presence', { hasText: /\d online/ }).waitFor();
    },
    close: () => page.close(),
  };
}

export type ExamplePage = Awaited<ReturnType<typeof openPage>>;

/** A time of tomorrow. */
export const tomorrowAt = (hours: number): Date => new Date(new Date().setHours(24 + hours, 0, 0, 0));
