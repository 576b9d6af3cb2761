import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { eventually } from '../../../test/harness/until.ts';
import { createLink, type Link } from './link.ts';

let server: Server;
let link: Link;
const accepted: Socket[] = [];
let client: Socket;
let replies: string;

beforeEach(async () => {
  accepted.length = 0;
  replies = '';
  // Answers each request with the same bytes.
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  link = await createLink((server.address() as AddressInfo).port);
  client = connect(link.port, '127.0.0.1');
  client.on('error', () => undefined);
  client.on('data', (bytes: Buffer) => (replies += bytes.toString('latin1')));
  client.write('a');
  await eventually('the first reply', () => replies === 'a');
});
afterEach(async () => {
  client.destroy();
  await link.close();
  await new Promise((resolve) => server.close(resolve));
});

test.each(['requests', 'replies'] as const)(
  'data of the direction %s arrives after a partition, complete and in order',
  async (direction) => {
    let isOver = false;
    const partition = link.partition(direction, 300).then(() => (isOver = true));
    for (const byte of 'bcd') client.write(byte);
    const arrived = eventually('the replies', () => replies === 'abcd').then(() => isOver);
    await partition;
    expect(await arrived).toBe(true);
  },
);

test('a slow network delays data, and keeps its order', async () => {
  let delays = 0;
  const slow = link.slow(() => ((delays += 1), 20), 300);
  for (const byte of 'bcd') client.write(byte);
  await eventually('the replies', () => replies === 'abcd');
  expect(delays).toBeGreaterThanOrEqual(2);
  await slow;
});

test('a connection whose server is gone stays open for the process, and delivers nothing', async () => {
  expect(link.halfOpen('server')).toBe(1);
  await once(accepted[0]!, 'close');
  client.write('b');
  const next = connect(link.port, '127.0.0.1').on('data', (bytes: Buffer) => (replies += bytes.toString()));
  next.write('c');
  await eventually('a new connection to work', () => replies.includes('c'));
  next.destroy();
  expect([client.readyState, replies]).toEqual(['open', 'ac']);
});

test('a connection whose process is gone stays open for the server', async () => {
  link.halfOpen('process');
  await once(client, 'close');
  expect(accepted[0]!.readyState).toBe('open');
});
