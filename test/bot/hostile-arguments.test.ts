import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { createRealtimeAppointments, type RealtimeAppointmentsOptions } from '@appointment-emissions/bot';
import {
  closeAfterEach,
  COMPANY,
  ID,
  later,
  startBackend,
  startBot,
  temporaryDirectory,
} from './bot-world.ts';

closeAfterEach();

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}
const thrower = {
  get _id(): never {
    throw new Error('getter');
  },
};
const hostile: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['an empty string', ''],
  ['a number', 17],
  ['NaN', NaN],
  ['a bigint', 17n],
  ['a symbol', Symbol('id')],
  ['a function', () => ID],
  ['an object', { any: 'thing' }],
  ['an object without prototype', Object.create(null)],
  ['an array', [1, 2]],
  ['a revoked Proxy', revoked({})],
  ['a revoked Proxy of a function', revoked(() => undefined)],
  ['a getter that throws', thrower],
  [
    'a toString that throws',
    {
      toString: () => {
        throw new Error('toString');
      },
    },
  ],
  ['a toString that returns no string', { toString: () => ({}) }],
  ['a document with a hostile _id', { _id: revoked({}) }],
  ['a promise', Promise.resolve(ID)],
  ['a long string', 'a'.repeat(1_000_000)],
  ['24 characters that are not hexadecimal', 'zzzzzzzzzzzzzzzzzzzzzzzz'],
  ['a path', '../../../admin'],
  ['an operator', { $ne: null }],
];

test.each(hostile)('%s is no id: calls are false, without a request', async (_, given) => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url });
  for (const emit of [bot.emitAppointmentCreated, bot.emitAppointmentUpdated, bot.emitAppointmentCanceled]) {
    expect(await emit(given)).toBe(false);
  }
  expect(await bot.emitAppointmentDeleted(given, COMPANY)).toBe(false);
  expect(await bot.emitAppointmentDeleted(ID, given)).toBe(false);
  expect(await bot.emitBatch([{ event: 'appointment:created', appointmentId: given }])).toBe(false);
  expect(await bot.emitBatch(given as never)).toBe(false);
  expect(await bot.emitBatch([given] as never)).toBe(false);
  expect(backend.received).toEqual([]);
  expect(bot.lines.every(({ message }) => message === 'Failed to emit socket event')).toBe(true);
  expect(JSON.stringify(bot.lines).length).toBeLessThan(5_000);
});

const objectId = new mongoose.Types.ObjectId(ID);
test.each([
  ['a string', ID],
  ['upper case', ID.toUpperCase()],
  ['an ObjectId', objectId],
  ['a plain document', { _id: objectId, status: 'scheduled' }],
  ['a document with a string id', { _id: ID }],
  ['a mongoose document', new (mongoose.model('IdProbe', new mongoose.Schema({})))({ _id: objectId })],
])('%s is an id', async (_, given) => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitAppointmentCreated(given)).toBe(true);
  expect(backend.received[0]?.body).toEqual({ appointmentId: ID });
});

test('a logger that throws or rejects does not affect the result', async () => {
  const backend = await startBackend();
  const loggers = [
    {
      messageFlow: () => {
        throw new Error('logger');
      },
    },
    { messageFlow: () => Promise.reject(new Error('logger')) },
    revoked({}),
  ];
  for (const logger of loggers) {
    const bot = startBot({ backendUrl: backend.url, logger: logger as never });
    expect(await bot.emitAppointmentCreated(ID)).toBe(true);
    expect(await bot.emitAppointmentCreated(null)).toBe(false);
  }
});

test('with invalid settings the bot starts, and calls are false', async () => {
  const logDir = await temporaryDirectory();
  const settings = {
    logDir,
    apiKey: 17,
    backendUrl: {},
    deadlineMs: NaN,
    maxAttempts: -1,
    coolDownMs: Infinity,
  };
  const bot = createRealtimeAppointments(settings as unknown as RealtimeAppointmentsOptions);
  later(() => bot.close());
  expect(await bot.emitAppointmentCreated(ID)).toBe(false);
});
