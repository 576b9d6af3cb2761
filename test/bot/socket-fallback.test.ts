import { describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { createSocketTransport } from '../../packages/bot/src/socket-transport.ts';
import {
  type EmitRequest,
  INTERNAL_NAMESPACE,
  type InternalClientEvents,
} from '@appointment-emissions/contracts';
import { eventually } from '../harness/until.ts';
import { closeAfterEach, COMPANY, absentUrl, ID, json, KEY, later, startBot, timed } from './bot-world.ts';

closeAfterEach();

type Acknowledge = (reply: unknown) => void;
const acceptEmit = (_: EmitRequest, acknowledge: Acknowledge): void => {
  acknowledge({ status: 202, success: true, emissionId: 'ws1' });
};

/** A backend whose HTTP routes reply with `httpStatus`, and whose `/internal` namespace replies with `answer`. */
async function startHalfBackend(
  answer: (request: EmitRequest, acknowledge: Acknowledge, socket: Socket) => void = acceptEmit,
  httpStatus = 502,
) {
  const keys: unknown[] = [];
  const http = createServer((request, response) => {
    keys.push(request.headers['idempotency-key']);
    json(response, httpStatus, { success: false });
  });
  const io = new Server<InternalClientEvents>(http);
  const requests: EmitRequest[] = [];
  const connected: Socket[] = [];
  const namespace = io.of(INTERNAL_NAMESPACE);
  namespace.use((socket, next) => {
    next(socket.handshake.auth.apiKey === KEY ? undefined : new Error('UNAUTHORIZED'));
  });
  namespace.on('connection', (socket) => {
    connected.push(socket);
    socket.on('emit', (request, acknowledge) => {
      requests.push(request);
      answer(request, acknowledge as Acknowledge, socket);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  later(() => io.close());
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests,
    connected,
    keys,
    open: () => namespace.sockets.size,
  };
}

const withFallback = { socketFallback: true, maxAttempts: 2 };

describe('after all HTTP attempts have failed', () => {
  test('the emission is sent over the socket with the same key, and the reply decides', async () => {
    const backend = await startHalfBackend();
    const bot = startBot({ backendUrl: backend.url, ...withFallback });
    expect(await bot.emitAppointmentCanceled(ID)).toBe(true);
    expect(backend.keys).toHaveLength(2);
    expect(backend.requests).toEqual([
      { event: 'appointment:canceled', appointmentId: ID, idempotencyKey: backend.keys[0] },
    ]);
    expect(bot.lines).toEqual([
      expect.objectContaining({
        message: 'Successfully emitted appointment:canceled socket event',
        via: 'socket',
        emissionId: 'ws1',
      }),
    ]);
  });

  test('a deletion is sent with its company', async () => {
    const backend = await startHalfBackend();
    const bot = startBot({ backendUrl: backend.url, ...withFallback });
    expect(await bot.emitAppointmentDeleted(ID, COMPANY)).toBe(true);
    expect(backend.requests).toEqual([
      {
        event: 'appointment:deleted',
        appointmentId: ID,
        companyId: COMPANY,
        idempotencyKey: backend.keys[0],
      },
    ]);
  });

  test('all emissions share one connection, and with an open HTTP circuit no HTTP attempt is made', async () => {
    const backend = await startHalfBackend();
    const bot = startBot({ backendUrl: backend.url, ...withFallback, coolDownMs: 60_000 });
    for (let call = 0; call < 20; call += 1) expect(await bot.emitAppointmentCreated(ID)).toBe(true);
    expect(backend.connected).toHaveLength(1);
    expect(backend.keys).toHaveLength(5);
    expect(backend.requests).toHaveLength(20);
  });

  test('each item of a batch is sent by itself, with a key derived from the batch key', async () => {
    const backend = await startHalfBackend();
    const bot = startBot({ backendUrl: backend.url, ...withFallback });
    const emissions = Array.from({ length: 100 }, () => ({
      event: 'appointment:updated' as const,
      appointmentId: ID,
    }));
    expect(await bot.emitBatch(emissions)).toBe(true);
    expect(backend.connected).toHaveLength(1);
    expect(backend.requests.map(({ idempotencyKey }) => idempotencyKey).sort()).toEqual(
      emissions.map((_, index) => `${String(backend.keys[0])}-${index}`).sort(),
    );
  });

  test('a refusal over the socket is false', async () => {
    const backend = await startHalfBackend((_, acknowledge) => {
      acknowledge({ status: 404, success: false, code: 'APPOINTMENT_NOT_FOUND' });
    });
    const bot = startBot({ backendUrl: backend.url, ...withFallback });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(backend.requests).toHaveLength(1);
    expect(bot.lines).toHaveLength(1);
  });

  test.each<[string, (request: EmitRequest, acknowledge: Acknowledge, socket: Socket) => void]>([
    ['never acknowledges', () => undefined],
    ['closes the connection', (_, __, socket) => socket.disconnect(true)],
    [
      'acknowledges a status that is no number',
      (_, acknowledge) => {
        acknowledge({ status: { toString: 1 } });
      },
    ],
    [
      'acknowledges without a value',
      (_, acknowledge) => {
        acknowledge(undefined);
      },
    ],
    [
      'acknowledges with text',
      (_, acknowledge) => {
        acknowledge('ok');
      },
    ],
  ])(
    'if the namespace %s, the call is false within its deadline, and the connection is closed',
    async (_, answer) => {
      const backend = await startHalfBackend(answer);
      const bot = startBot({ backendUrl: backend.url, ...withFallback, deadlineMs: 400, socketIdleMs: 20 });
      const { result, ms } = await timed(bot.emitAppointmentCreated(ID));
      expect(result).toBe(false);
      expect(ms).toBeLessThan(1_500);
      await eventually('the connection to be closed', () => backend.open() === 0);
    },
  );

  test('a closed connection is opened again for the next emission', async () => {
    let cut = true;
    const backend = await startHalfBackend((request, acknowledge, socket) => {
      if (cut) socket.disconnect(true);
      else acceptEmit(request, acknowledge);
      cut = false;
    });
    const bot = startBot({ backendUrl: backend.url, ...withFallback });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(await bot.emitAppointmentCreated(ID)).toBe(true);
    expect(backend.connected).toHaveLength(2);
  });
});

describe('the socket is not used', () => {
  test.each([400, 404, 409, 429])(
    'after a %i, since the backend would reply the same over the socket',
    async (status) => {
      const backend = await startHalfBackend(acceptEmit, status);
      const bot = startBot({ backendUrl: backend.url, ...withFallback });
      expect(await bot.emitAppointmentCreated(ID)).toBe(false);
      expect(backend.connected).toEqual([]);
    },
  );

  test('while the backend has no listener: calls are false, and the circuits open', async () => {
    const bot = startBot({
      backendUrl: await absentUrl(),
      ...withFallback,
      failuresToOpen: 2,
      coolDownMs: 60_000,
    });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(bot.lines.at(-1)?.reason).not.toMatch(/^circuit open/);
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(bot.lines.at(-1)?.reason).toMatch(/^circuit open/);
  });
});

test('with a wrong key the connection is refused', async () => {
  const backend = await startHalfBackend();
  const bot = startBot({
    backendUrl: backend.url,
    ...withFallback,
    apiKey: 'another-key-of-at-least-32-characters',
  });
  expect(await bot.emitAppointmentCreated(ID)).toBe(false);
  expect(backend.requests).toEqual([]);
});

test('an idle connection is closed, and close() closes an open one', async () => {
  const backend = await startHalfBackend();
  const idle = startBot({ backendUrl: backend.url, ...withFallback, socketIdleMs: 30 });
  expect(await idle.emitAppointmentCreated(ID)).toBe(true);
  await eventually('the idle connection to be closed', () => backend.open() === 0);

  const busy = startBot({ backendUrl: backend.url, ...withFallback });
  expect(await busy.emitAppointmentCreated(ID)).toBe(true);
  expect(backend.open()).toBe(1);
  await busy.close();
  await eventually('the connection to be closed', () => backend.open() === 0);
});

test('without socket.io-client the socket is unusable, and the package is not loaded again', async () => {
  let loads = 0;
  const transport = createSocketTransport({
    backendUrl: new URL(await absentUrl()),
    apiKey: KEY,
    idleMs: 1_000,
    loadClient: () => {
      loads += 1;
      return Promise.reject(new Error("Cannot find package 'socket.io-client'"));
    },
  });
  const request = { event: 'appointment:created', appointmentId: ID } as const;
  await expect(transport.emit(request, new AbortController().signal)).rejects.toThrow('not installed');
  expect(transport.usable()).toBe(false);
  expect(loads).toBe(1);
});
