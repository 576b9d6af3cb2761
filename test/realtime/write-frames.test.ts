import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { writeFramesAtOnce, writeTogether } from '../../src/realtime/internals/write-frames.ts';
import { eventually, until } from '../harness/until.ts';

let server: Server;
let url: string;
const clients: Socket[] = [];
beforeEach(async () => {
  const http = createServer();
  server = new Server(http);
  writeFramesAtOnce(server);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

async function connect(transport: 'websocket' | 'polling'): Promise<{ received: number[]; id: string }> {
  const client = io(url, { forceNew: true, transports: [transport] });
  clients.push(client);
  const received: number[] = [];
  client.on('number', (n: number) => received.push(n));
  const connected = new Promise<void>((resolve) => {
    client.once('connect', resolve);
  });
  await until('a connection', connected);
  return { received, id: client.id! };
}

/** How often Engine.IO hands something to a transport. */
function countFlushes(): () => number {
  let flushes = 0;
  server.engine.on('flush', () => (flushes += 1));
  return () => flushes;
}

test('a broadcast is written directly to every WebSocket, and through Engine.IO to polling clients', async () => {
  const received = await Promise.all([connect('websocket'), connect('websocket'), connect('polling')]);
  const flushes = countFlushes();
  server.emit('number', 1);
  await eventually('all clients to receive it', () => received.every((one) => one.received.length === 1));
  expect(flushes()).toBe(1);
});

test('broadcasts and events for a single socket arrive in the order in which they were sent', async () => {
  const { received, id } = await connect('websocket');
  const alone = server.sockets.sockets.get(id)!;
  const numbers = Array.from({ length: 2_000 }, (_, n) => n);
  for (const n of numbers) {
    // Two for itself in a row: the second waits in Engine.IO, and the broadcast after it must not overtake it.
    if (n % 5 < 2) alone.emit('number', n);
    else server.emit('number', n);
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('all numbers to arrive', () => received.length === numbers.length);
  expect(received).toEqual(numbers);
});

test('frames that are written together are sent in one piece and in order, also if writing fails half way', async () => {
  const received = await Promise.all([connect('websocket'), connect('polling')]);
  const sockets = [...server.sockets.sockets.values()];
  const { transport } = sockets.find(({ id }) => id === received[0].id)!.conn;
  const tcp = (transport as never as { socket: { _socket: Writable } }).socket._socket;
  expect(() => {
    writeTogether(sockets, () => {
      for (let n = 0; n < 20; n += 1) server.emit('number', n);
      sockets[0]!.emit('number', 20);
      sockets[1]!.emit('number', 20);
      expect(tcp.writableCorked).toBe(1);
      throw new Error('half way');
    });
  }).toThrow('half way');
  expect(tcp.writableCorked).toBe(0);
  const all = Array.from({ length: 21 }, (_, n) => n);
  await eventually('all clients to receive it', () =>
    received.every((one) => one.received.length === all.length),
  );
  for (const one of received) expect(one.received).toEqual(all);
});

test.each<[string, string[]]>([
  ['ws', ['_sender', '_socket']],
  ['Engine.IO', ['socket']],
])(
  'without the internals of %s every packet is written through the public interface, in order',
  async (_, hidden) => {
    const { received, id } = await connect('websocket');
    const alone = server.sockets.sockets.get(id)!;
    const conn = alone.conn as unknown as { transport: { socket: object } };
    if (hidden.includes('socket')) conn.transport = without(conn.transport, hidden);
    else conn.transport.socket = without(conn.transport.socket, hidden);
    const flushes = countFlushes();
    writeTogether([alone], () => {
      for (let n = 0; n < 20; n += 1) server.emit('number', n);
    });
    await eventually('all numbers to arrive', () => received.length === 20);
    expect(received).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(flushes()).toBeGreaterThan(0);
  },
);

/** The same object, in which these properties seem to be absent. */
function without<T extends object>(target: T, hidden: string[]): T {
  return new Proxy(target, {
    get(object, name) {
      if (hidden.includes(String(name))) return undefined;
      const value: unknown = Reflect.get(object, name);
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
    set: (object, name, value) => Reflect.set(object, name, value),
  });
}
