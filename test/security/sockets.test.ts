import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import type { SocketData } from '../../src/realtime/dashboard-server.ts';
import { limitSockets } from '../../src/realtime/limit-sockets.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

let world: World;
afterEach(() => world.close());

const COMPANY = 'c'.repeat(24);
const websocket = { forceNew: true, reconnection: false, transports: ['websocket'] };

function open(url: string, auth: object): Socket {
  const socket = io(url, { ...websocket, auth });
  world.keep(socket, () => socket.close());
  return socket;
}

/** `connected`, the code of the refusal, or `closed` where the connection ends without words. */
function outcome(socket: Socket): Promise<string> {
  const outcome = new Promise<string>((resolve) => {
    socket.once('connect', () => {
      resolve('connected');
    });
    socket.once('connect_error', (error) => {
      resolve((error as { data?: { code: string } }).data?.code ?? 'closed');
    });
    // It closes the connection before the refusal arrives.
    socket.io.once('close', () => {
      setImmediate(resolve, 'closed');
    });
  });
  return until('the outcome of a handshake', outcome);
}

const closed = (socket: Socket) =>
  until('the connection to be closed', new Promise((resolve) => socket.once('disconnect', resolve)));

test('a company has a limit of sockets; when one closes, another can connect', async () => {
  world = await createWorld({ limits: { MAX_SOCKETS_PER_COMPANY: 2 } });
  const api = await world.api();
  const token = await world.token(COMPANY);
  const [first] = await Promise.all([world.dashboard(api, COMPANY), world.dashboard(api, COMPANY)]);
  expect(await outcome(open(api.url, { token }))).toBe('RATE_LIMITED');
  expect(await outcome(open(api.url, { token: await world.token('d'.repeat(24)) }))).toBe('connected');
  first.close();
  await eventually(
    'a place to be free',
    async () => (await outcome(open(api.url, { token }))) === 'connected',
  );
});

test('an address has a limit of connections, authenticated or not', async () => {
  world = await createWorld({ limits: { MAX_SOCKETS_PER_ADDRESS: 2 } });
  const api = await world.api();
  const token = await world.token(COMPANY);
  const first = open(api.url, { token });
  expect(await outcome(first)).toBe('connected');
  expect(await outcome(open(api.url, { token }))).toBe('connected');
  expect(await outcome(open(api.url, { token }))).toBe('closed');
  first.close();
  await eventually(
    'a place to be free',
    async () => (await outcome(open(api.url, { token }))) === 'connected',
  );
});

test('a dashboard that sends too many messages is disconnected, a service is not', async () => {
  world = await createWorld({ limits: { MAX_MESSAGES_PER_SECOND: 2 } });
  const api = await world.api();
  const token = await world.token(COMPANY);
  const quiet = await world.dashboard(api, COMPANY);
  const service = open(`${api.url}/internal`, { apiKey: API_KEY });
  const noisy = open(api.url, { token });
  expect(await Promise.all([outcome(service), outcome(noisy)])).toEqual(['connected', 'connected']);
  const ended = closed(noisy);
  for (let n = 0; n < 30; n += 1) {
    noisy.emit('noise', n);
    service.emit('noise', n);
  }
  await ended;
  const reply = (await until('the service to be answered', service.emitWithAck('emit', {}))) as object;
  expect(reply).toMatchObject({ success: false, code: 'INVALID_EVENT' });
  expect(quiet.socket.connected).toBe(true);
});

test('a client that does not read is disconnected before it exceeds its memory limit', async () => {
  world = await createWorld();
  const http = createServer().listen(0);
  await once(http, 'listening');
  const server = new Server(http, { pingTimeout: 60_000 });
  const cuts: string[] = [];
  server.use((socket, next) => {
    (socket.data as Partial<SocketData>).emissions = {
      companyId: COMPANY,
      share: COMPANY,
      wantsPositions: true,
    };
    next();
  });
  const limits = limitSockets({
    io: server,
    addressOf: () => 'here',
    perAddress: 10,
    perCompany: 10,
    messagesPerSecond: 10,
    maxBufferedBytes: 1_000_000,
    onCut: (why) => cuts.push(why),
    onRefused: () => undefined,
  });
  world.keep(server, async () => {
    limits.close();
    await server.close();
  });
  const url = `http://localhost:${(http.address() as AddressInfo).port}`;
  const [slow, good] = [open(url, {}), open(url, {})];
  expect(await Promise.all([outcome(slow), outcome(good)])).toEqual(['connected', 'connected']);
  const receivedAll = until(
    'the good client to receive all',
    new Promise((resolve) => good.once('last', resolve)),
  );
  const transport = slow.io.engine.transport as unknown as { ws: { _socket: TcpSocket } };
  transport.ws._socket.pause();

  for (let n = 0; n < 200; n += 1) {
    const news = new Promise((resolve) => good.once('news', resolve));
    server.emit('news', 'x'.repeat(100_000));
    await until('the good client to receive it', news);
  }
  server.emit('last');

  await receivedAll;
  await eventually('the slow one to be cut off', () => cuts.length > 0);
  expect(cuts).toEqual(['does not read']);
  expect(server.engine.clientsCount).toBe(1);
  expect(good.connected).toBe(true);
});
