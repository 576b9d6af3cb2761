import { connect, type Socket as TcpSocket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { type PositionUpdate, POSITION_EVENT } from '@appointment-emissions/contracts';
import { until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

const COMPANY = 'c'.repeat(24);
const SINGLE = '/api/v1/internal/socket/appointment-updated';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

/** Sends bytes and leaves the connection open; resolves to all that came when the server has ended it. */
function sendAndWait(api: { url: string }, bytes: string): Promise<string> {
  const ended = new Promise<string>((resolve) => {
    let text = '';
    const socket: TcpSocket = connect(Number(new URL(api.url).port), 'localhost', () => socket.write(bytes));
    world.keep(socket, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(text);
    });
  });
  return until('the server to end the connection', ended);
}

function open(url: string, auth: object): Socket {
  const socket = io(url, { forceNew: true, reconnection: false, transports: ['websocket'], auth });
  world.keep(socket, () => socket.close());
  return socket;
}

/** `connected`, or the code or words of the refusal. */
function outcome(socket: Socket): Promise<string> {
  const outcome = new Promise<string>((resolve) => {
    socket.once('connect', () => {
      resolve('connected');
    });
    socket.once('connect_error', (error) => {
      resolve((error as { data?: { code: string } }).data?.code ?? error.message);
    });
  });
  return until('the outcome of a handshake', outcome).finally(() => socket.close());
}

test('bodies are limited: one size for single emissions, another for batches', async () => {
  const api = await world.api({}, { MAX_BODY_BYTES: 300, MAX_BATCH_BYTES: 2_000 });
  const status = async (path: string, body: object) => (await world.post(api, path, body)).status;
  expect(await status('appointment-updated', { appointmentId: 'a'.repeat(250) })).toBe(400);
  expect(await status('appointment-updated', { appointmentId: 'a'.repeat(300) })).toBe(413);
  expect(await status('batch', { emissions: ['a'.repeat(1_900)] })).toBe(202);
  expect(await status('batch', { emissions: ['a'.repeat(2_000)] })).toBe(413);
});

test('headers above the size limit are refused; headers above the number limit are ignored or refused', async () => {
  const api = await world.api({}, { MAX_HEADER_BYTES: 4_000, MAX_HEADERS: 30 });
  const request = async (headers: Record<string, string>) =>
    (await fetch(`${api.url}/api/v1/internal/metrics`, { headers })).status;
  expect(await request({ 'x-api-key': API_KEY, 'x-long': 'a'.repeat(3_000) })).toBe(200);
  expect(await request({ 'x-api-key': API_KEY, 'x-long': 'a'.repeat(4_000) })).toBe(431);

  const lines = Array.from({ length: 30 }, (_, index) => `x-${index}: 1\r\n`).join('');
  const late = `GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${lines}x-api-key: ${API_KEY}\r\n\r\n`;
  // Node 20 leaves the rest out, which has the key here; later ones refuse the request.
  expect(await sendAndWait(api, late)).toMatch(/^HTTP\/1\.1 (401|431) /);
});

test('a client that sends headers or a body too slowly gets 408; an idle connection is closed', async () => {
  const api = await world.api(
    { KEEP_ALIVE_TIMEOUT_MS: '200' },
    { HEADERS_TIMEOUT_MS: 300, REQUEST_TIMEOUT_MS: 900 },
  );
  const head = `POST ${SINGLE} HTTP/1.1\r\nhost: a\r\nx-api-key: ${API_KEY}\r\n`;
  const [headers, body, idle] = await Promise.all([
    sendAndWait(api, head),
    sendAndWait(api, `${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`),
    sendAndWait(api, 'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n'),
  ]);
  expect(headers).toMatch(/^HTTP\/1\.1 408 /);
  expect(body).toMatch(/^HTTP\/1\.1 408 /);
  expect(idle).toMatch(/^HTTP\/1\.1 200 /);
});

test('after too many wrong tokens an address is refused, by socket and by list; a valid token is accepted', async () => {
  const api = await world.api({}, { MAX_AUTH_FAILURES_PER_MINUTE: 3 });
  const outcomes: string[] = [];
  for (let n = 0; n < 4; n += 1) outcomes.push(await outcome(open(api.url, { token: `guess-${n}` })));
  expect(outcomes).toEqual([...Array<string>(3).fill('TOKEN_INVALID'), 'RATE_LIMITED']);
  const list = (token: string) =>
    fetch(`${api.url}/api/v1/dashboard/appointments`, { headers: { authorization: `Bearer ${token}` } });
  const refused = await list('guess');
  expect([refused.status, refused.headers.has('retry-after')]).toEqual([429, true]);

  const token = await world.token(COMPANY);
  expect(await outcome(open(api.url, { token }))).toBe('connected');
  expect((await list(token)).status).toBe(200);
});

test('wrong keys by HTTP and by socket count together; the right key is accepted', async () => {
  const api = await world.api({}, { MAX_AUTH_FAILURES_PER_MINUTE: 3 });
  expect((await world.post(api, 'appointment-updated', {}, { 'x-api-key': 'wrong' })).status).toBe(403);
  const outcomes: string[] = [];
  for (let n = 0; n < 3; n += 1)
    outcomes.push(await outcome(open(`${api.url}/internal`, { apiKey: `${n}` })));
  expect(outcomes).toEqual(['API_KEY_WRONG', 'API_KEY_WRONG', 'RATE_LIMITED']);
  expect((await world.post(api, 'appointment-updated', {}, { 'x-api-key': 'wrong' })).status).toBe(429);
  expect(await outcome(open(`${api.url}/internal`, { apiKey: API_KEY }))).toBe('connected');
});

test('a message above the size limit closes its connection', async () => {
  const api = await world.api({}, { MAX_MESSAGE_BYTES: 2_000 });
  const dashboard = await world.dashboard(api, COMPANY);
  const [small, large] = ['a'.repeat(1_500), 'a'.repeat(2_000)];
  dashboard.socket.emit('noise', small);
  await until(
    'the next to be answered',
    dashboard.socket.emitWithAck('emissions:catch-up', { epoch: 'none', offset: 0 }),
  );
  const ended = new Promise((resolve) => dashboard.socket.once('disconnect', resolve));
  dashboard.socket.emit('noise', large);
  await until('the connection to end', ended);
});

test('a dashboard has a limit of catch-ups', async () => {
  const api = await world.api({}, { MAX_CATCH_UPS_PER_SECOND: 2 });
  const { socket, positions } = await world.dashboard(api, COMPANY);
  const { epoch, offset } = positions[0]!;
  const reasons: (string | undefined)[] = [];
  for (let n = 0; n < 21; n += 1) {
    const answer = (await until(
      `an answer with ${POSITION_EVENT}`,
      socket.emitWithAck('emissions:catch-up', { epoch, offset }),
    )) as PositionUpdate;
    reasons.push(answer.reason);
  }
  expect(reasons).toEqual([...Array<undefined>(20).fill(undefined), 'rate-limited']);
});
