import { expect, test } from '@jest/globals';
import { eventually, until } from '../harness/until.ts';
import {
  absentUrl,
  accept,
  closeAfterEach,
  ID,
  json,
  startBackend,
  startBot,
  type Reply,
} from './bot-world.ts';

closeAfterEach();

const unavailable: Reply = (response) => {
  json(response, 503, { success: false });
};

test('after five failures no request is sent: calls return at once and share one log line', async () => {
  const backend = await startBackend(unavailable);
  const bot = startBot({ backendUrl: backend.url, coolDownMs: 60_000 });
  for (let call = 0; call < 3; call += 1) expect(await bot.emitAppointmentCreated(ID)).toBe(false);
  expect(backend.received).toHaveLength(5);

  const calls = Array.from({ length: 1_000 }, () => bot.emitAppointmentCreated(ID));
  const result = await until('calls that return at once', Promise.all(calls), 1_000);
  expect(result.some(Boolean)).toBe(false);
  expect(backend.received).toHaveLength(5);
  expect(bot.lines.filter(({ reason }) => reason?.startsWith('circuit open'))).toHaveLength(1);
  expect(bot.lines.length).toBeLessThan(5);
});

test('after the cool-down one probe is sent; its success closes the circuit', async () => {
  let healthy = false;
  const backend = await startBackend((...exchange) => {
    const reply: Reply = healthy ? accept : unavailable;
    reply(...exchange);
  });
  const bot = startBot({ backendUrl: backend.url, coolDownMs: 40 });
  await bot.emitAppointmentCreated(ID);
  await bot.emitAppointmentCreated(ID);
  expect(backend.received).toHaveLength(5);

  await eventually('a probe', async () => {
    await Promise.all([bot.emitAppointmentCreated(ID), bot.emitAppointmentCreated(ID)]);
    return backend.received.length > 5;
  });
  // The probe failed, so the circuit is open again.
  expect(backend.received).toHaveLength(6);

  healthy = true;
  await eventually('an accepted emission', () => bot.emitAppointmentCreated(ID));
  expect(await bot.emitAppointmentCreated(ID)).toBe(true);
});

test.each([400, 401, 404, 429])('a reply with status %i keeps the circuit closed', async (status) => {
  let healthy = false;
  const backend = await startBackend((response, received) => {
    if (healthy) accept(response, received);
    else json(response, status, { success: false }, { 'retry-after': '30' });
  });
  const bot = startBot({ backendUrl: backend.url, coolDownMs: 60_000 });
  for (let call = 0; call < 20; call += 1) expect(await bot.emitAppointmentCreated(ID)).toBe(false);
  healthy = true;
  expect(await bot.emitAppointmentCreated(ID)).toBe(true);
});

test('a backend without a listener opens the circuit too', async () => {
  const bot = startBot({ backendUrl: await absentUrl(), coolDownMs: 60_000 });
  await bot.emitAppointmentCreated(ID);
  await bot.emitAppointmentCreated(ID);
  expect(bot.lines.at(-1)?.reason).not.toMatch(/^circuit open/);
  await bot.emitAppointmentCreated(ID);
  expect(bot.lines.at(-1)?.reason).toMatch(/^circuit open/);
});
