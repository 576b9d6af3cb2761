import { describe, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import {
  absentUrl,
  accept,
  closeAfterEach,
  ID,
  json,
  startBackend,
  startBot,
  startTcp,
  timed,
  type Reply,
} from './bot-world.ts';

closeAfterEach();

const hangs: Reply = () => undefined;
const diesAfterAccept: Reply = (response) => response.destroy();
const diesInTheBody: Reply = (response) => {
  response
    .writeHead(202, { 'content-type': 'application/json', 'content-length': 500 })
    .write('{"success": true,');
  setImmediate(() => response.destroy());
};
const drips: Reply = (response) => {
  response.writeHead(202, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 5);
  response.on('close', () => {
    clearInterval(timer);
  });
};
const endless: Reply = (response) => {
  response.writeHead(202, { 'content-type': 'application/json' });
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
  };
  response.on('drain', more);
  more();
};
const page: Reply = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Welcome');
const emptyReply: Reply = (response) => response.writeHead(202).end();
const otherJson: Reply = (response) => {
  json(response, 202, { accepted: 'yes' });
};
const nullJson: Reply = (response) => {
  json(response, 200, null);
};

describe('with a broken backend, a call is false within its deadline', () => {
  test.each([
    ['never replies', hangs],
    ['closes the connection without a reply', diesAfterAccept],
    ['closes the connection within the body', diesInTheBody],
    ['sends single bytes', drips],
    ['sends an endless body', endless],
    ['sends an HTML page', page],
    ['sends 202 without a body', emptyReply],
    ['sends 202 with other JSON', otherJson],
    ['sends 200 with null', nullJson],
  ])('%s', async (_, reply) => {
    const backend = await startBackend(reply);
    const bot = startBot({ backendUrl: backend.url, deadlineMs: 300, attemptTimeoutMs: 120 });
    const { result, ms } = await timed(bot.emitAppointmentCreated(ID));
    expect(result).toBe(false);
    expect(ms).toBeLessThan(1_500);
    expect(bot.lines).toHaveLength(1);
    expect(bot.lines[0]).toMatchObject({ level: 'error', message: 'Failed to emit socket event' });
    // All attempts are the same request.
    expect(backend.received.length).toBeGreaterThan(0);
    expect(new Set(backend.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  test.each([
    ['has no listener', absentUrl],
    ['resets every connection', () => startTcp((socket) => socket.resetAndDestroy())],
    ['speaks another protocol', () => startTcp((socket) => socket.end('220 mail ready\r\n'))],
    ['accepts connections and sends nothing', () => startTcp(() => undefined)],
    ['has a name that does not resolve', () => Promise.resolve('http://backend.invalid')],
    [
      'switches protocols',
      () =>
        startTcp((socket) =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
        ),
    ],
  ])('%s', async (_, address) => {
    const bot = startBot({ backendUrl: await address(), deadlineMs: 300, attemptTimeoutMs: 120 });
    const { result, ms } = await timed(bot.emitAppointmentCreated(ID));
    expect(result).toBe(false);
    expect(ms).toBeLessThan(1_500);
    expect(bot.lines).toHaveLength(1);
  });

  test('a redirect is not followed, because the key is meant for one host', async () => {
    const other = await startBackend();
    const backend = await startBackend((response) => response.writeHead(307, { location: other.url }).end());
    const bot = startBot({ backendUrl: backend.url });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(other.received).toEqual([]);
    expect(bot.lines[0]).toMatchObject({ status: 307, attempts: 1 });
  });
});

describe('the deadline of a call', () => {
  test('allows a reply that takes a second', async () => {
    const backend = await startBackend((response, received) => {
      setTimeout(accept, 1_000, response, received);
    });
    const bot = startBot({ backendUrl: backend.url });
    const { result, ms } = await timed(bot.emitAppointmentCreated(ID));
    expect(result).toBe(true);
    expect(ms).toBeGreaterThanOrEqual(990);
  });

  test('is two seconds by default, and the log says that a timed-out emission may have been accepted', async () => {
    const backend = await startBackend(hangs);
    const bot = startBot({ backendUrl: backend.url });
    const { result, ms } = await timed(bot.emitAppointmentCreated(ID));
    expect(result).toBe(false);
    expect(ms).toBeGreaterThan(1_500);
    expect(ms).toBeLessThan(3_000);
    expect(bot.lines[0]).toMatchObject({
      reason: 'timeout',
      error: expect.stringContaining('may have been accepted'),
    });
  });

  test('ends all work: no request is sent after it, and its connections are closed', async () => {
    const backend = await startBackend(hangs);
    let closed = 0;
    backend.server.on('connection', (socket) => socket.on('close', () => (closed += 1)));
    const bot = startBot({ backendUrl: backend.url, deadlineMs: 100, attemptTimeoutMs: 40 });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    const sent = backend.received.length;
    await eventually('the connections to be closed', () => closed === backend.connections());
    expect(backend.received).toHaveLength(sent);
  });

  test('applies to a hundred concurrent calls', async () => {
    const backend = await startBackend(hangs);
    const bot = startBot({ backendUrl: backend.url, deadlineMs: 300, failuresToOpen: 1_000 });
    const { result, ms } = await timed(
      Promise.all(Array.from({ length: 100 }, () => bot.emitAppointmentCreated(ID))),
    );
    expect(result.every((accepted) => !accepted)).toBe(true);
    expect(ms).toBeLessThan(2_500);
  });
});

test('close() waits for running calls', async () => {
  const backend = await startBackend((response, received) => {
    setTimeout(accept, 50, response, received);
  });
  const bot = startBot({ backendUrl: backend.url });
  const emission = bot.emitAppointmentCreated(ID);
  await bot.close();
  expect(bot.lines.map(({ message }) => message)).toEqual([
    'Successfully emitted appointment:created socket event',
  ]);
  expect(await emission).toBe(true);
});
