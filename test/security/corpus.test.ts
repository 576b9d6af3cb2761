import { createHmac, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { io, type Socket } from 'socket.io-client';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { until } from '../harness/until.ts';
import { API_KEY, createWorld, JWT_SECRET, type World } from '../harness/world.ts';
import { CLOCK_TOKENS } from './corpus-clocks.ts';
import { DAMAGED_JOBS } from './corpus-redis.ts';
import { type BadRequest, FRAMES, GOOD_ID, HANDSHAKES, RAW, REQUESTS } from './corpus.ts';

let world: World;
let api: RunningApi;
let company: Company;
let token: string;
beforeAll(async () => {
  world = await createWorld();
  api = await world.api();
  company = await world.documents.company();
  token = await world.token(company.companyId);
  await company.appointment({ _id: new Types.ObjectId(GOOD_ID) });
});
afterAll(() => world.close());

const filled = (text: string): string =>
  text.replace(':token', token).replace(':admin', `Basic ${btoa('admin:admin-password')}`);

/** Sends the path and the headers unchanged. */
function send({ method = 'GET', path, headers = {}, body }: BadRequest) {
  const { hostname, port } = new URL(api.url);
  const named = Object.entries(headers).map(
    ([name, value]) => [name, typeof value === 'string' ? filled(value) : value] as const,
  );
  const answer = new Promise<{ status: number | undefined; type: string; text: string }>(
    (resolve, reject) => {
      const options = { hostname, port, method, path: filled(path), agent: false };
      const sent = httpRequest({ ...options, headers: Object.fromEntries(named) }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const type = response.headers['content-type'] ?? '';
          resolve({ status: response.statusCode, type, text: Buffer.concat(chunks).toString() });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    },
  );
  return until('an answer', answer);
}

/** The status in the first line of the reply. */
function sendRaw(bytes: string): Promise<number | 'closed'> {
  const { port } = new URL(api.url);
  const answer = new Promise<number | 'closed'>((resolve) => {
    let text = '';
    const socket = connect(Number(port), 'localhost', () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]) || 'closed');
    });
  });
  return until('an answer to raw bytes', answer);
}

function openSocket(namespace: string, auth: object): Socket {
  const options = { forceNew: true, reconnection: false, transports: ['websocket'] };
  const socket = io(`${api.url}${namespace}`, { ...options, auth });
  world.keep(socket, () => socket.close());
  return socket;
}

test('the corpus has at least 80 entries and no duplicates', () => {
  const names = [REQUESTS, RAW, HANDSHAKES, FRAMES].flatMap((part) => part.map(({ what }) => what));
  expect(names.length).toBeGreaterThanOrEqual(80);
  const ofRequests = REQUESTS.map(({ what }) => what);
  expect(new Set(ofRequests).size).toBe(ofRequests.length);
});

describe('requests', () => {
  test.each(REQUESTS)('$what: $status $code', async (bad) => {
    const { status, type, text } = await send(bad);
    if (bad.code === undefined) {
      expect(status).toBe(bad.status);
      return;
    }
    expect({ status, text }).toMatchObject({ status: bad.status, text: expect.stringContaining(bad.code) });
    expect(type).toContain('application/problem+json');
    expect(JSON.parse(text)).toMatchObject({ success: false, status: bad.status, code: bad.code });
    expect(text).not.toMatch(/node_modules|at .*\.ts|Mongo|ECONN/);
  });

  test('a batch accepts the good item and gives each bad one a reason', async () => {
    const event = 'appointment:created';
    const items: [item: unknown, code: string][] = [
      [null, 'INVALID_REQUEST'],
      ['text', 'INVALID_REQUEST'],
      [[], 'INVALID_EVENT'],
      [{ event: 'appointment:moved', appointmentId: GOOD_ID }, 'INVALID_EVENT'],
      [{ event: '__proto__', appointmentId: GOOD_ID }, 'INVALID_EVENT'],
      [{ event: ['appointment:created'], appointmentId: GOOD_ID }, 'INVALID_EVENT'],
      [{ event, appointmentId: { $ne: null } }, 'INVALID_APPOINTMENT_ID'],
      [{ event, appointmentId: GOOD_ID, companyId: GOOD_ID }, 'INVALID_REQUEST'],
      [JSON.parse(`{"event":"${event}","appointmentId":"${GOOD_ID}","__proto__":{}}`), 'INVALID_REQUEST'],
      [{ event, appointmentId: 'f'.repeat(24) }, 'APPOINTMENT_NOT_FOUND'],
    ];
    const response = await world.post(api, 'batch', { emissions: items.map(([item]) => item) });
    expect(response.status).toBe(202);
    const { results } = (await response.json()) as { results: { code: string }[] };
    expect(results.map(({ code }) => code)).toEqual(items.map(([, code]) => code));
  });
});

describe('raw bytes', () => {
  test.each(RAW)('$what: $status', async ({ bytes, status }) => {
    expect(await sendRaw(bytes)).toBe(status);
  });
});

describe('handshakes', () => {
  test.each(HANDSHAKES)('$what: $message', async ({ namespace, auth, message }) => {
    const socket = openSocket(namespace, JSON.parse(filled(JSON.stringify(auth))) as object);
    const refused = new Promise<string>((resolve) => {
      socket.once('connect', () => {
        resolve('connected');
      });
      socket.once('connect_error', ({ message }) => {
        resolve(message);
      });
    });
    expect(await until('an answer to the handshake', refused)).toBe(message);
    socket.close();
  });
});

describe('tokens of issuers whose clocks are wrong', () => {
  test.each(CLOCK_TOKENS)('a token $what: $message', async ({ claims, message }) => {
    const payload = { companyId: company.companyId, ...claims(Math.floor(Date.now() / 1_000)) };
    const header = Buffer.from('{"alg":"HS256"}').toString('base64url');
    const signed = `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
    const signature = createHmac('sha256', JWT_SECRET).update(signed).digest('base64url');
    const socket = openSocket('', { token: `${signed}.${signature}` });
    const answer = new Promise<string>((resolve) => {
      socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
        resolve(String(error.data?.code));
      });
      // A connection that ends at once has no answer to a catch-up.
      socket.once('connect', () => {
        void socket.emitWithAck('emissions:catch-up', { epoch: 'none', offset: 0 }).then(() => {
          resolve(socket.connected ? 'connected' : 'disconnected');
        });
      });
      socket.once('disconnect', () => {
        resolve('disconnected');
      });
    });
    expect(await until('an answer to the token', answer)).toBe(message);
    socket.close();
  });
});

describe('jobs that another program wrote', () => {
  test.each(DAMAGED_JOBS)('a timeline of a job of %s is 200 or 404', async (_, write) => {
    const emissionId = randomUUID();
    const key = world.queue.toKey(emissionId);
    await write(world.redis, key);
    const headers = { 'x-api-key': API_KEY };
    const response = await fetch(`${api.url}/api/v1/internal/socket/emissions/${emissionId}`, { headers });
    expect([200, 404]).toContain(response.status);
    await world.redis.del(key);
  });
});

describe('frames', () => {
  test.each(FRAMES)('$what: $then', async ({ packet, then }) => {
    const socket = openSocket('', { token });
    await until(
      'to be let in',
      new Promise<void>((resolve) =>
        socket.once('emissions:position', () => {
          resolve();
        }),
      ),
    );
    const closed = new Promise<'closed'>((resolve) => {
      socket.once('disconnect', () => {
        resolve('closed');
      });
    });
    socket.io.engine.send(packet);
    // A ping of Engine.IO is answered in order: earlier packets have been processed by then.
    const answered = new Promise<'ignored'>((resolve) => {
      socket.io.engine.on('packet', ({ type, data }) => {
        if (type === 'message' && String(data).startsWith('377')) resolve('ignored');
      });
    });
    if (then === 'ignored' && !packet.startsWith('5')) {
      socket.io.engine.send('277["emissions:catch-up",{"epoch":"none","offset":0}]');
      expect(await until('the next catch-up to be answered', Promise.race([closed, answered]))).toBe(
        'ignored',
      );
    } else if (then === 'closed') {
      expect(await until('the connection to be closed', closed)).toBe('closed');
    }
    socket.close();
  });

  test.each([
    ['an unknown type', '8'],
    ['nothing', ''],
    ['separators alone', '\x1e'.repeat(1_000)],
    ['20 kB', `4${'a'.repeat(20_000)}`],
    ['binary that is none', 'b%%%'],
  ])('by polling, %s is refused or ends only its own session', async (_, payload) => {
    const url = `${api.url}/socket.io/?EIO=4&transport=polling`;
    const opened = await (await fetch(url)).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const send = (init?: RequestInit) => fetch(`${url}&sid=${sid}`, init).catch(() => undefined);
    const polled = send();
    const posted = await send({ method: 'POST', body: payload });
    expect([200, 400, 413, undefined]).toContain(posted?.status);
    await send({ method: 'POST', body: '1' });
    await until('the poll to end', polled);
  });
});

test('after the corpus nothing is enqueued, no prototype is polluted, and a good client is served', async () => {
  expect(await world.jobs.count('waiting', 'prioritized', 'delayed', 'failed')).toBe(0);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  world.worker();
  const dashboard = await world.dashboard(api, company.companyId);
  const emissionId = await world.emit(api, 'appointment-updated', GOOD_ID);
  const received = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  expect(received.payload.appointment._id).toBe(GOOD_ID);
});
