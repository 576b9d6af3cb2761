import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Server } from 'socket.io';
import { io as connect, type Socket } from 'socket.io-client';
import { CATCH_UP_EVENT } from '@appointment-emissions/contracts';
import { admitSockets } from '../../src/realtime/admit-sockets.ts';
import type { DashboardServer } from '../../src/realtime/dashboard-server.ts';
import { createScopedSockets } from '../../src/realtime/scopes/scoped-sockets.ts';
import { until } from '../harness/until.ts';

const COMPANY = 'c'.repeat(24);
const POSITION = { epoch: 'e', offset: 1 };

let io: DashboardServer;
let client: Socket;
beforeEach(async () => {
  const http = createServer();
  io = new Server(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  client = connect(`http://127.0.0.1:${port}`, { transports: ['websocket'], autoConnect: false });
});
afterEach(async () => {
  client.close();
  await io.close();
});

test('a catch-up and an event of the application that arrive before companyOf has settled are not lost', async () => {
  let settle: (companyId: string) => void = () => undefined;
  const companyId = new Promise<string>((resolve) => (settle = resolve));
  admitSockets({
    io,
    companyOf: () => companyId,
    scopedSockets: createScopedSockets(() => io),
    serve: (socket) => {
      socket.on(CATCH_UP_EVENT, (_from, answer) => {
        answer({ ...POSITION, recovered: true });
      });
    },
    onFault: (error) => {
      throw error;
    },
  });
  const applicationEvent = new Promise<unknown>((resolve) => {
    io.on('connection', (socket) => (socket as unknown as Socket).on('chat', resolve));
  });
  client.connect();
  const answer = client.emitWithAck(CATCH_UP_EVENT, POSITION);
  client.emit('chat', 'hello');
  // It was sent after the catch-up: the catch-up has arrived too.
  expect(await until('the event of the application', applicationEvent)).toBe('hello');
  settle(COMPANY);
  expect(await until('the answer', answer)).toEqual({ ...POSITION, recovered: true });
});
