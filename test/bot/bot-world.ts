import { afterEach, expect } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRealtimeAppointments, type RealtimeAppointmentsOptions } from '@appointment-emissions/bot';

export const KEY = 'bot-test-key-0123456789abcdef0123456789';
export const ID = '65f000000000000000000001';
export const COMPANY = '65f0000000000000000000c1';

export interface Received {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: unknown;
}
/** @param count 1 for the first request */
export type Reply = (response: ServerResponse, received: Received, count: number) => void;

export interface Backend {
  url: string;
  server: Server;
  received: Received[];
  connections(): number;
}

export interface LogLine {
  level: string;
  message: string;
  reason?: string;
  [field: string]: unknown;
}

const closers: (() => unknown)[] = [];
/** The test file whose hook runs them. */
let closingFile: string | undefined;

/**
 * Every test file that uses this module calls this once. A hook is of one test file, but the test files of a process share this
 * module.
 */
export function closeAfterEach(): void {
  closingFile = expect.getState().testPath;
  afterEach(async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  });
}

/** Runs `close` after the test, last in first out. If it fails, the test fails. */
export function later(close: () => unknown): void {
  if (closingFile !== expect.getState().testPath) throw new Error('the test file must call closeAfterEach');
  closers.push(close);
}

/** Starts an HTTP server that sends `reply`, and stops with the test. */
export async function startBackend(reply: Reply = accept): Promise<Backend> {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, path: url, headers, body: body === '' ? undefined : JSON.parse(body) });
      reply(response, received.at(-1)!, received.length);
    });
  });
  server.on('connection', () => (connections += 1));
  const url = await listen(server);
  return { url, server, received, connections: () => connections };
}

/** Starts a server that does not speak HTTP. */
export async function startTcp(onConnection: (socket: Socket) => void): Promise<string> {
  return listen(createTcpServer(onConnection));
}

async function listen(server: Server | TcpServer): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address with no listener. */
export async function absentUrl(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Replies as the routes of the API do. */
export function accept(response: ServerResponse, { path: at, body }: Received): void {
  if (at?.endsWith('/batch')) {
    const { emissions } = body as { emissions: unknown[] };
    const results = emissions.map((_, index) => ({ index, status: 202, emissionId: `e${index}` }));
    json(response, 202, { success: true, accepted: emissions.length, rejected: 0, results });
  } else {
    json(response, 202, { success: true, emissionId: 'e1', statusUrl: '/x' });
  }
}

/** A bot with short delays. It logs into the returned list, and closes with the test. */
export function startBot(options: RealtimeAppointmentsOptions) {
  const lines: LogLine[] = [];
  const bot = createRealtimeAppointments({
    apiKey: KEY,
    firstRetryDelayMs: 5,
    maxRetryDelayMs: 10,
    socketFallback: false,
    logger: {
      messageFlow: (level, message, fields) => {
        lines.push({ level, message, ...fields });
      },
    },
    ...options,
  });
  later(() => bot.close());
  return { ...bot, lines };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bot-'));
  later(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function readLog(logDir: string): Promise<LogLine[]> {
  const text = await readFile(path.join(logDir, 'message-flow.log'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LogLine);
}

export async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const startedAt = performance.now();
  const result = await work;
  return { result, ms: performance.now() - startedAt };
}
