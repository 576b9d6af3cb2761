import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { type CustomerCalendar, createTools, type McpTools } from '@appointment-emissions/mcp';
import { Types } from 'mongoose';
import { createCalendar } from '../../demo/mcp-calendar.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';
import type { Company } from '../harness/documents.ts';
import { until } from '../harness/until.ts';
import { API_KEY, type World } from '../harness/world.ts';

export const ROOT = new URL('../..', import.meta.url).pathname;
export const TOKEN = 'mcp-token-0123456789-0123456789-01';
const SERVER = 'packages/mcp/src/main.ts';

/** The protocol of 2025, with a handshake, and that of 2026, without. */
export const ERAS: [string, ClientOptions][] = [
  ['2025-11-25', { versionNegotiation: { mode: 'legacy' } }],
  ['2026-07-28', { versionNegotiation: { mode: { pin: '2026-07-28' } } }],
];

/** What a tool call returns. */
export interface Called {
  isError: boolean;
  text: string;
  structured: Record<string, unknown>;
}

const ZONE = 'Europe/Berlin';

interface ToolsOptions {
  company?: Company;
  customerId?: string;
  now?: Date;
  /** Result of each announcement. */
  announce?: () => Promise<boolean>;
  /** Replaces methods of the calendar. */
  calendar?: Partial<CustomerCalendar>;
}

/** The tools of a company's customer in this process, with the emissions that they make and the errors that they report. */
export async function startTools(
  world: World,
  { company, customerId, now, announce = () => Promise.resolve(true), calendar = {} }: ToolsOptions = {},
) {
  const own = company ?? (await world.documents.company());
  const context = {
    companyId: own.companyId,
    customerId: customerId ?? String(own.customer._id),
    timeZone: ZONE,
  };
  const emitted: string[] = [];
  const emit = (event: string) => (id: unknown) => {
    emitted.push(`${event} ${String(id)}`);
    return announce();
  };
  const errors: unknown[] = [];
  const tools: McpTools = createTools({
    calendar: {
      ...createCalendar(world.documents.models.Appointment.db, context),
      close: () => Promise.resolve(),
      ...calendar,
    },
    context,
    realtime: {
      emitAppointmentCreated: emit('created'),
      emitAppointmentUpdated: emit('updated'),
      emitAppointmentCanceled: emit('canceled'),
    },
    logger: () => undefined,
    onError: (error) => errors.push(error),
    ...(now && { now: () => now }),
  });
  return { company: own, tools, emitted, errors };
}

/** The environment of the command, for a company's customer. */
export function settingsOf(
  world: World,
  api: { url: string },
  company: Company,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    MONGODB_URI: world.env['MONGODB_URI']!,
    BACKEND_API_URL: api.url,
    INTERNAL_SERVICE_API_KEY: API_KEY,
    MCP_CALENDAR: 'demo/mcp-calendar.ts',
    MCP_COMPANY_ID: company.companyId,
    MCP_CUSTOMER_ID: String(company.customer._id),
    MCP_TIME_ZONE: ZONE,
    ...more,
  };
}

/** Starts the command on standard input and output, and connects the SDK's client. The world ends it. */
export async function connectStdio(world: World, env: Record<string, string>, options: ClientOptions) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...SOURCE_ARGS, SERVER],
    cwd: ROOT,
    env: childEnv(env) as Record<string, string>,
    stderr: 'pipe',
  });
  const printed = collect(transport.stderr as Readable);
  const client = await connect(world, transport, options, printed);
  return { ...client, printed };
}

/** Connects the SDK's client to a server that serves HTTP. */
export async function connectHttp(world: World, url: string, options: ClientOptions, token = TOKEN) {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  return connect(world, transport, options, () => '');
}

async function connect(
  world: World,
  transport: StdioClientTransport | StreamableHTTPClientTransport,
  options: ClientOptions,
  printed: () => string,
) {
  const client = new Client({ name: 'test', version: '1.0.0' }, options);
  world.keep(client, () => client.close());
  await until('the client to connect', client.connect(transport), 60_000).catch((error: unknown) => {
    throw new Error(`no connection; the server printed:\n${printed()}`, { cause: error });
  });
  return {
    client,
    call: async (name: string, args: Record<string, unknown>): Promise<Called> => {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
      const [first] = content;
      return {
        isError: isError === true,
        text: first?.type === 'text' ? first.text : '',
        structured: structuredContent as Record<string, unknown>,
      };
    },
  };
}

/** Starts the command without a client. Resolves when it has logged its address, if it serves HTTP. */
export async function startCommand(world: World, env: Record<string, string>) {
  const child = spawn(process.execPath, [...SOURCE_ARGS, SERVER], {
    cwd: ROOT,
    env: childEnv(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  world.keep(child, async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  let url = '';
  if (env['MCP_HTTP'] !== undefined) {
    const listening = new Promise<string>((resolve, reject) => {
      child.stderr.on('data', () => {
        const [, found] = /"url":"([^"]+)"/.exec(stderr()) ?? [];
        if (found !== undefined) resolve(found);
      });
      void exited.then(() => {
        reject(new Error(`the command ended before it listened:\n${stderr()}`));
      });
    });
    url = await until('the command to listen', listening, 60_000);
  }
  return { child, url, stdout, stderr, exited };
}

/** Returns a function that returns what a stream has printed so far. */
function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}

/** Arguments of `book_appointment` for a company's customer. */
export function bookingOf({ pet, service, serviceItem, staff }: Company, start: string) {
  return {
    petId: String(pet._id),
    serviceId: String(service._id),
    serviceItemId: String(serviceItem._id),
    staffId: String(staff._id),
    start,
    durationMinutes: 60,
  };
}

/** Adds another customer with a pet and an appointment to a company. */
export async function otherCustomer(world: World, company: Company) {
  const companyId = new Types.ObjectId(company.companyId);
  const { models } = world.documents;
  const customer = {
    _id: new Types.ObjectId(),
    companyId,
    fullName: 'Bea Other',
    email: 'bea@example.org',
    phone: '+49 2',
  };
  const pet = { ...company.pet, _id: new Types.ObjectId(), customerId: customer._id, name: 'Otto' };
  await models.Customer.collection.insertOne(customer);
  await models.Pet.collection.insertOne(pet);
  const start = new Date(Date.UTC(new Date().getUTCFullYear() + 2, 4, 14, 7));
  const appointmentId = await company.appointment({
    customerId: customer._id,
    petId: pet._id,
    start,
    end: new Date(start.getTime() + 3_600_000),
  });
  return { customerId: String(customer._id), petId: String(pet._id), appointmentId };
}
