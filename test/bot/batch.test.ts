import { expect, test } from '@jest/globals';
import type { AppointmentEvent } from '@appointment-emissions/contracts';
import {
  accept,
  closeAfterEach,
  COMPANY,
  ID,
  json,
  startBackend,
  startBot,
  type Reply,
} from './bot-world.ts';

closeAfterEach();

interface Item {
  event: AppointmentEvent;
  appointmentId: unknown;
}
const created = (appointmentId: unknown): Item => ({ event: 'appointment:created', appointmentId });
const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => index.toString(16).padStart(24, '0'));

/** Rejects the item at `index` in the first `times` requests, and accepts the others. */
function rejecting(index: number, status: number, times = Infinity, code: unknown = 'REJECTED'): Reply {
  return (response, received, count) => {
    if (count > times) {
      accept(response, received);
      return;
    }
    const { emissions } = received.body as { emissions: unknown[] };
    const results = emissions.map((_, at) =>
      at === index ? { index: at, status, code } : { index: at, status: 202, emissionId: `e${at}` },
    );
    json(response, 202, { success: true, accepted: emissions.length - 1, rejected: 1, results });
  };
}

test('a batch is one request, and resolves to true if all items are accepted', async () => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url });
  const given: Item[] = [created(ID), { event: 'appointment:canceled', appointmentId: { _id: ID } }];
  expect(await bot.emitBatch(given)).toBe(true);
  expect(backend.received).toHaveLength(1);
  expect(backend.received[0]).toMatchObject({
    path: '/api/v1/internal/socket/batch',
    body: { emissions: [created(ID), { event: 'appointment:canceled', appointmentId: ID }] },
  });
  expect(bot.lines.map(({ message }) => message)).toEqual([
    'Successfully emitted appointment:created socket event',
    'Successfully emitted appointment:canceled socket event',
  ]);
});

test('only a deletion is sent with its company, and it must have one', async () => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url });
  const deleted = { event: 'appointment:deleted', appointmentId: ID, companyId: COMPANY } as const;
  expect(await bot.emitBatch([deleted, { ...created(ID), companyId: COMPANY }])).toBe(true);
  expect(backend.received[0]?.body).toEqual({ emissions: [deleted, created(ID)] });

  expect(await bot.emitBatch([{ event: 'appointment:deleted', appointmentId: ID }])).toBe(false);
  expect(backend.received).toHaveLength(1);
  expect(bot.lines.at(-1)).toMatchObject({ problems: [{ index: 0, problem: 'no companyId was given' }] });
});

test('more than 1,000 emissions are several requests, each with its own Idempotency-Key', async () => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitBatch(ids(2_300).map(created))).toBe(true);
  expect(backend.received.map(({ body }) => (body as { emissions: [] }).emissions.length).sort()).toEqual([
    1_000, 1_000, 300,
  ]);
  expect(new Set(backend.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(3);
});

test('an invalid item is reported, and the others are sent', async () => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url });
  const given = [created(ID), created(undefined), { event: 'appointment:moved', appointmentId: ID }, null];
  expect(await bot.emitBatch(given as never)).toBe(false);
  expect(backend.received[0]?.body).toEqual({ emissions: [created(ID)] });
  expect(bot.lines[0]).toMatchObject({ problems: [{ index: 1 }, { index: 2 }, { index: 3 }] });
});

test('a refused item makes the batch false, is logged, and is not sent again', async () => {
  const backend = await startBackend(rejecting(1, 404));
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitBatch(ids(3).map(created))).toBe(false);
  expect(backend.received).toHaveLength(1);
  expect(bot.lines).toEqual([
    expect.objectContaining({ level: 'error', rejected: [{ index: 1, status: 404, code: 'REJECTED' }] }),
  ]);
});

test('the code of a refused item is logged only if it is text', async () => {
  const backend = await startBackend(rejecting(0, 404, Infinity, { toString: 1 }));
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitBatch([created(ID)])).toBe(false);
  expect(bot.lines).toEqual([
    expect.objectContaining({ reason: 'HTTP error', rejected: [{ index: 0, status: 404 }] }),
  ]);
});

test('after a temporary failure of an item, the batch is sent again with the same list and key', async () => {
  const backend = await startBackend(rejecting(0, 503, 1));
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitBatch(ids(2).map(created))).toBe(true);
  expect(backend.received).toHaveLength(2);
  expect(backend.received[1]?.body).toEqual(backend.received[0]?.body);
  expect(new Set(backend.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
});

test('an empty batch is true, without a request', async () => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitBatch([])).toBe(true);
  expect(backend.received).toEqual([]);
});
