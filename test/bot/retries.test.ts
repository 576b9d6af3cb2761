import { describe, expect, test } from '@jest/globals';
import {
  accept,
  closeAfterEach,
  ID,
  json,
  startBackend,
  startBot,
  timed,
  type Backend,
  type Reply,
} from './bot-world.ts';

closeAfterEach();

/** Sends these replies first, then accepts. */
function first(...replies: Reply[]): Reply {
  return (response, received, count) => {
    (replies[count - 1] ?? accept)(response, received, count);
  };
}
function status(code: number, headers: Record<string, string> = {}): Reply {
  return (response) => {
    json(response, code, { success: false, code: 'REJECTED' }, headers);
  };
}
const reset: Reply = (response) => response.destroy();

function keys({ received }: Backend): Set<unknown> {
  return new Set(received.map(({ headers }) => headers['idempotency-key']));
}

describe('a temporary failure is retried with the same Idempotency-Key', () => {
  test.each([
    ['500', status(500)],
    ['502', status(502)],
    ['503', status(503)],
    ['429', status(429)],
    ['409', status(409)],
    ['a closed connection', reset],
  ])('%s, twice', async (_, reply) => {
    const backend = await startBackend(first(reply, reply));
    const bot = startBot({ backendUrl: backend.url });
    expect(await bot.emitAppointmentCreated(ID)).toBe(true);
    expect(bot.lines).toEqual([expect.objectContaining({ level: 'info', attempts: 3 })]);
    expect(keys(backend).size).toBe(1);
  });

  test('each call has its own key, in the form of a UUID', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });
    await Promise.all([bot.emitAppointmentCreated(ID), bot.emitAppointmentCreated(ID)]);
    expect(keys(backend).size).toBe(2);
    for (const key of keys(backend)) expect(key).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a call makes at most four attempts', async () => {
    const backend = await startBackend(status(503));
    const bot = startBot({ backendUrl: backend.url, failuresToOpen: 100 });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(backend.received).toHaveLength(4);
    expect(bot.lines).toEqual([expect.objectContaining({ reason: 'HTTP error', status: 503, attempts: 4 })]);
  });
});

test.each([400, 401, 403, 404, 413, 415, 422])('%i is not retried', async (code) => {
  const backend = await startBackend(status(code));
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitAppointmentCreated(ID)).toBe(false);
  expect(backend.received).toHaveLength(1);
});

describe('Retry-After', () => {
  test.each([429, 503, 409])('of a %i is respected if the deadline allows', async (code) => {
    const backend = await startBackend(first(status(code, { 'retry-after': '1' })));
    const bot = startBot({ backendUrl: backend.url });
    const { result, ms } = await timed(bot.emitAppointmentCreated(ID));
    expect(result).toBe(true);
    expect(ms).toBeGreaterThanOrEqual(990);
  });

  test('after the deadline ends the call at once', async () => {
    const backend = await startBackend(status(429, { 'retry-after': '30' }));
    const bot = startBot({ backendUrl: backend.url });
    const { result, ms } = await timed(bot.emitAppointmentCreated(ID));
    expect(result).toBe(false);
    expect(ms).toBeLessThan(1_500);
    expect(backend.received).toHaveLength(1);
  });

  test('can be a date', async () => {
    const backend = await startBackend(
      status(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }),
    );
    const bot = startBot({ backendUrl: backend.url });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(backend.received).toHaveLength(1);
  });

  test.each(['soon', '', '-5', 'NaN', '0x10', '1e3', 'Tue, 30 Feb 2099 10:00:00 GMT', '2099-01-01'])(
    '%j is ignored',
    async (value) => {
      const backend = await startBackend(first(status(503, { 'retry-after': value })));
      const bot = startBot({ backendUrl: backend.url });
      expect(await bot.emitAppointmentCreated(ID)).toBe(true);
    },
  );
});
