import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import type { RunningApi } from '../../src/api/start-api.ts';
import { until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const COMPANY = 'c'.repeat(24);
const LISTED = 'https://calendar.example.com';

let world: World;
let api: RunningApi;
let token: string;
beforeAll(async () => {
  world = await createWorld({ env: { CORS_ORIGIN: `${LISTED},https://other.example.com` } });
  api = await world.api();
  token = await world.token(COMPANY);
});
afterAll(() => world.close());

type Transport = 'polling' | 'websocket';

/** What becomes of a connection that a browser's page of this origin opens. */
async function connectFrom(
  origin: string | undefined,
  transports: Transport[],
  url = api.url,
): Promise<'connected' | 'refused'> {
  const socket = io(url, {
    forceNew: true,
    reconnection: false,
    transports,
    auth: { token },
    ...(origin !== undefined && { extraHeaders: { origin } }),
  });
  const answer = new Promise<'connected' | 'refused'>((resolve) => {
    socket.once('connect', () => {
      resolve('connected');
    });
    socket.once('connect_error', () => {
      resolve('refused');
    });
  });
  return until('an answer', answer).finally(() => socket.close());
}

describe.each<[Transport]>([['polling'], ['websocket']])('by %s', (transport) => {
  test('pages of the listed origins, our own page, and programs without an Origin may connect', async () => {
    for (const origin of [LISTED, 'https://other.example.com', api.url, undefined]) {
      expect([origin, await connectFrom(origin, [transport])]).toEqual([origin, 'connected']);
    }
  });

  test.each([
    ['another site', 'https://evil.example'],
    ['one that begins like a listed one', `${LISTED}.evil.example`],
    ['a listed one without TLS', 'http://calendar.example.com'],
    ['a listed one on another port', `${LISTED}:8443`],
    ['a sandboxed frame', 'null'],
    ['something that is no origin', 'localhost'],
  ])('a page of %s may not connect', async (_, origin) => {
    expect(await connectFrom(origin, [transport])).toBe('refused');
  });
});

test('with polling, pages of a listed origin may read the responses, others may not', async () => {
  const list = (origin: string) =>
    fetch(`${api.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
  const listed = await list(LISTED);
  expect([listed.status, listed.headers.get('access-control-allow-origin')]).toEqual([200, LISTED]);
  const other = await list('https://evil.example');
  expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
});

test('with WebSocket alone polling is refused, so no sticky sessions are needed', async () => {
  const only = await world.api({ SOCKET_TRANSPORTS: 'websocket' });
  expect(await connectFrom(undefined, ['websocket'], only.url)).toBe('connected');
  expect(await connectFrom(undefined, ['polling'], only.url)).toBe('refused');
});

test('the gateway does not serve the Socket.IO client', async () => {
  expect((await fetch(`${api.url}/socket.io/socket.io.js`)).status).toBeGreaterThanOrEqual(400);
});
