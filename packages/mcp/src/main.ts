#!/usr/bin/env node
import { resolve } from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { createRealtimeAppointments, type MessageFlowLevel } from '@appointment-emissions/bot';
import type { CustomerCalendar, OpenCalendar } from './calendar.ts';
import { startHttpServer } from './http.ts';
import { readSettings, type McpSettings, SettingsError, USAGE } from './settings.ts';
import { startStdioServer } from './stdio.ts';
import { createTools } from './tools.ts';

const CLOSE_WITHIN_MS = 9_000;

/** What runs, for the end of the process. */
interface Running {
  /** Resolves when the client has closed the connection. */
  ended: Promise<void>;
  close: () => Promise<void>;
}

const settings = settingsOrExit();
const protocolOutput = reserveStandardOutput();
const stopped = stopSignal();
let exitCode = 0;
try {
  const running = await start(settings);
  await Promise.race([stopped, running.ended]);
  setTimeout(() => {
    log('error', 'not closed in time');
    process.exit(1);
  }, CLOSE_WITHIN_MS).unref();
  await running.close();
} catch (error) {
  log('error', 'ended by an error', { error: describe(error) });
  exitCode = 1;
}
process.exit(exitCode);

function settingsOrExit(): McpSettings {
  try {
    const read = readSettings(process.argv.slice(2), process.env);
    if (read !== 'help') return read;
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\nappointment-emissions-mcp --help lists the settings.\n`);
    process.exit(1);
  }
}

async function start({ context, calendarModule, http, backendUrl, apiKey }: McpSettings): Promise<Running> {
  const calendar = await openCalendar(calendarModule, context);
  const realtime = createRealtimeAppointments({ backendUrl, apiKey, logger: log });
  const onError = (error: unknown): void => {
    log('error', 'a request failed', { error: describe(error) });
  };
  const tools = createTools({ calendar, context, realtime, logger: log, onError });
  const closeTools = async (): Promise<void> => {
    await tools.close();
    await realtime.close();
    await calendar.close();
  };
  if (http === undefined) {
    const server = startStdioServer({ tools, stdin: process.stdin, stdout: protocolOutput, onError });
    return { ended: server.ended, close: () => server.close().then(closeTools) };
  }
  const server = await startHttpServer({ tools, ...http, onError });
  log('info', 'listening', { url: server.url });
  return { ended: new Promise(() => undefined), close: () => server.close().then(closeTools) };
}

async function openCalendar(file: string, context: McpSettings['context']): Promise<CustomerCalendar> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href);
  const { default: open } = module as { default?: OpenCalendar };
  if (typeof open !== 'function')
    throw new TypeError(`MCP_CALENDAR ${file} has no function as its default export`);
  return open(context);
}

/**
 * Reserves standard output for the protocol: what other code prints there goes to standard error, since a client cannot parse it.
 * @returns the stream that still writes to standard output
 */
function reserveStandardOutput(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // A client may close its end at any time.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => void write(chunk, done),
  });
}

function stopSignal(): Promise<void> {
  return new Promise((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        stop();
      });
  });
}

/** One JSON line to standard error. */
function log(level: MessageFlowLevel, message: string, fields: Record<string, unknown> = {}): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
