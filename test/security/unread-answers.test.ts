import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { boundConnections } from '../../src/access/bound-connections.ts';
import { serveMetricsPort } from '../../src/metrics/serve-metrics-port.ts';
import { createMemoryReader } from '../harness/memory.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

const MB = 1_000_000;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

interface Client {
  socket: Socket;
  /** Resolves when the server has ended the connection. */
  ended: () => Promise<unknown>;
}

/** A connection that sends these bytes and reads nothing. */
async function send(url: string, bytes: string): Promise<Client> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  world.keep(socket, () => socket.destroy());
  socket.pause();
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const written = new Promise((resolve) => socket.write(bytes, resolve));
  await until('the requests to be sent', written);
  // A paused socket learns of its end only by writing.
  const ended = () =>
    eventually('the server to end the connection', () => {
      if (!socket.destroyed) socket.write('\r\n');
      return socket.destroyed;
    });
  return { socket, ended };
}

/** What the server sends up to the head of its answer number `count`. */
async function readAnswers(socket: Socket, count: number): Promise<string> {
  const chunks: Buffer[] = [];
  let answers = 0;
  let rest = '';
  while (answers < count && !socket.destroyed) {
    socket.read(0);
    const chunk = socket.read() as Buffer | null;
    if (chunk) {
      chunks.push(chunk);
      const text = rest + chunk.toString('latin1');
      answers += text.split('HTTP/1.1 ').length - 1;
      rest = text.slice(-'HTTP/1.1'.length);
    }
    await pause(20);
  }
  return Buffer.concat(chunks).toString('latin1');
}

async function cuts(api: { url: string }, reason: string): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`, { headers: { 'x-api-key': API_KEY } })).text();
  return Number(new RegExp(`emission_connections_cut_total\\{reason="${reason}"\\} (\\d+)`).exec(text)?.[1]);
}

test('clients that pipeline 1,800 requests for the largest files and read nothing cost almost no memory', async () => {
  const memory = createMemoryReader();
  world.keep(memory, memory.close);
  const api = await world.ready(world.apiProcess(memory.env));
  const viewer = '/docs/swagger-ui-bundle.js';
  for (const path of ['/docs', viewer, '/openapi.json', '/', '/metrics']) await fetch(`${api.url}${path}`);
  const before = await memory.read(api.pid);

  const paths = ['/docs', viewer, '/openapi.json', '/asyncapi.json', '/', '/nowhere', '/health', '/admin'];
  const clients = await Promise.all(paths.map((path) => send(api.url, get(path).repeat(1_800))));
  const during = await memory.read(api.pid);
  expect(during.rss - before.rss).toBeLessThan(60 * MB);
  await Promise.all(clients.map(({ ended }) => ended()));
  expect(await cuts(api, 'pipelined')).toBe(clients.length);
  expect((await fetch(`${api.url}/docs`)).status).toBe(200);
});

test('a client that reads nothing of its responses is disconnected, on any route; others are served', async () => {
  const memory = createMemoryReader();
  world.keep(memory, memory.close);
  const api = await world.ready(world.apiProcess(memory.env, { RESPONSE_STALL_TIMEOUT_MS: 1_000 }));
  const viewer = '/docs/swagger-ui-bundle.js';
  await (await fetch(`${api.url}${viewer}`)).text();
  const before = await memory.read(api.pid);
  const clients = await Promise.all(
    Array.from({ length: 30 }, () => send(api.url, get(viewer).repeat(90) + get('/nowhere'))),
  );
  const during = await memory.read(api.pid);
  expect(during.rss - before.rss).toBeLessThan(60 * MB);
  await Promise.all(clients.map(({ ended }) => ended()));
  expect(await cuts(api, 'stalled')).toBe(clients.length);
  expect((await fetch(`${api.url}/livez`)).status).toBe(200);
});

test('a client that reads slowly but steadily gets its whole response', async () => {
  const reasons: string[] = [];
  const body = Buffer.alloc(30 * MB, '.');
  const server = createServer((_req, res) => res.end(body));
  const bounds = boundConnections(server, { stallTimeoutMs: 2_000, onCut: (reason) => reasons.push(reason) });
  server.listen(0);
  await once(server, 'listening');
  world.keep(server, () => {
    bounds.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { socket } = await send(url, get('/'));
  let bytes = 0;
  await eventually(
    'all of the answer to arrive',
    () => {
      socket.read(0);
      const piece = socket.read(Math.min(socket.readableLength, 100_000)) as Buffer | null;
      bytes += piece?.length ?? 0;
      return bytes > body.length || reasons.length > 0;
    },
    45_000,
  );
  expect(reasons).toEqual([]);
});

test('pipelined requests are answered completely and in order, also with bodies and errors', async () => {
  const api = await world.api();
  const body = JSON.stringify({ appointmentId: 'x' });
  const post = [
    'POST /api/v1/internal/socket/appointment-updated HTTP/1.1',
    'host: a',
    `x-api-key: ${API_KEY}`,
    'content-type: application/json',
    'expect: 100-continue',
    `content-length: ${body.length}`,
    `\r\n${body}`,
  ].join('\r\n');
  const expectation = 'GET /livez HTTP/1.1\r\nhost: a\r\nexpect: wonders\r\n\r\n';
  const round = get('/livez') + post + get('/nowhere') + expectation;
  // The last body arrives in two pieces.
  const all = round.repeat(20) + post;
  const { socket } = await send(api.url, all.slice(0, -10));
  const first = readAnswers(socket, 20 * 5);
  const early = await until('the answers', first);
  socket.write(all.slice(-10));
  const late = await until('the last answer', readAnswers(socket, 1));
  const statuses = [...(early + late).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  expect(statuses.filter((status) => status !== 100)).toEqual([
    ...Array.from({ length: 20 }, () => [200, 400, 404, 417]).flat(),
    400,
  ]);
});

test('an address has a limit of connections, and can connect again when one has closed', async () => {
  const api = await world.api({}, { MAX_CONNECTIONS_PER_ADDRESS: 3 });
  const clients = [await send(api.url, ''), await send(api.url, ''), await send(api.url, '')];
  await (await send(api.url, get('/livez'))).ended();
  clients[0]!.socket.destroy();
  await eventually('a connection to be taken', async () => {
    const next = await send(api.url, get('/livez'));
    const text = await readAnswers(next.socket, 1);
    next.socket.destroy();
    return text.startsWith('HTTP/1.1 200');
  });
});

test('the metrics port has the same bounds', async () => {
  const reasons: string[] = [];
  const port = serveMetricsPort(0, {
    registry: new Registry(),
    isAlive: () => ({ ok: true }),
    onCut: (reason) => reasons.push(reason),
    logger: pino({ level: 'silent' }),
  });
  world.keep(port, port.close);
  const url = `http://127.0.0.1:${await port.listening}`;
  const { ended } = await send(url, get('/metrics').repeat(1_500));
  await ended();
  expect(reasons).toEqual(['pipelined']);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test('a connection that only the server has ended is closed after a while', async () => {
  const api = await world.api({}, { RESPONSE_STALL_TIMEOUT_MS: 1_000 });
  const { port } = new URL(api.url);
  // It does not end its own side when the server has ended the other.
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  world.keep(socket, () => socket.destroy());
  socket.on('error', () => undefined).resume();
  socket.write('GET /elsewhere HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: wonders\r\n\r\n');
  await until('the server to end its side', once(socket, 'end'));
  await eventually('the connection to be cut', async () => (await cuts(api, 'half-open')) === 1);
});

test('a WebSocket that reads nothing is closed after a time, long before its limit of unsent bytes', async () => {
  const api = await world.api({}, { RESPONSE_STALL_TIMEOUT_MS: 1_000, MAX_UNSENT_BYTES: 1_073_741_824 });
  const company = await world.documents.company();
  const notes = 'x'.repeat(100_000);
  const appointmentId = await company.appointment({ notes });
  world.worker();
  const good = await world.dashboard(api, company.companyId);
  const lazy = await world.dashboard(api, company.companyId, {
    socketOptions: { transports: ['websocket'], reconnection: false },
  });
  const transport = lazy.socket.io.engine.transport as unknown as { ws: { _socket: Socket } };
  transport.ws._socket.pause();
  await eventually(
    'the lazy one to be cut',
    async () => {
      const ids = await Promise.all(
        Array.from({ length: 20 }, () => world.emit(api, 'appointment-updated', appointmentId)),
      );
      await good.receive(({ meta }) => meta.emissionId === ids.at(-1));
      return (await cuts(api, 'stalled')) > 0;
    },
    45_000,
  );
  expect(good.socket.connected).toBe(true);
});

test('a client that sends nothing, or its request byte by byte, gets 408 and is disconnected', async () => {
  const api = await world.api({}, { HEADERS_TIMEOUT_MS: 1_000, REQUEST_TIMEOUT_MS: 1_500 });
  const silent = await send(api.url, '');
  const drip = await send(api.url, 'GET /livez HTTP/1.1\r\n');
  const timer = setInterval(() => drip.socket.write('x'), 100);
  world.keep(timer, () => {
    clearInterval(timer);
  });
  expect(await readAnswers(silent.socket, 1)).toMatch(/^HTTP\/1\.1 408 /);
  expect(await readAnswers(drip.socket, 1)).toMatch(/^HTTP\/1\.1 408 /);
});
