import { afterEach, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createFileLogger } from '../../packages/bot/src/message-flow-file.ts';
import { eventually, until } from '../harness/until.ts';
import { createToolHandlers, type MessageFlowLogger } from '@appointment-emissions/bot';
import {
  absentUrl,
  closeAfterEach,
  ID,
  readLog,
  startBackend,
  startBot,
  temporaryDirectory,
} from './bot-world.ts';

closeAfterEach();

test('the lines have the promised messages, and the folder is created', async () => {
  const logDir = path.join(await temporaryDirectory(), 'not', 'yet');
  const backend = await startBackend();
  const good = startBot({ backendUrl: backend.url, logger: undefined, logDir });
  expect(await good.emitAppointmentCreated(ID)).toBe(true);
  expect(await good.emitAppointmentUpdated(ID)).toBe(true);
  expect(await good.emitAppointmentCanceled(ID)).toBe(true);
  await good.close();
  const bad = startBot({ backendUrl: await absentUrl(), logger: undefined, logDir });
  expect(await bad.emitAppointmentCreated(ID)).toBe(false);
  await bad.close();

  const lines = await readLog(logDir);
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['info', 'Successfully emitted appointment:created socket event'],
    ['info', 'Successfully emitted appointment:updated socket event'],
    ['info', 'Successfully emitted appointment:canceled socket event'],
    ['error', 'Failed to emit socket event'],
  ]);
  expect(lines[0]).toMatchObject({ appointmentId: ID, time: expect.stringMatching(/^\d{4}-.*Z$/) });
});

const complaints = jest.spyOn(console, 'error').mockImplementation(() => undefined);
afterEach(() => {
  complaints.mockClear();
});
/** What the library printed to standard error. */
const printed = () => complaints.mock.calls.map(([text]) => String(text));

/** Each creates a log folder in which the file cannot be written. */
const BAD_PLACES: [string, (dir: string) => Promise<string>, RegExp][] = [
  ['below /proc', () => Promise.resolve('/proc/nowhere/logs'), /ENOENT/],
  [
    'on a full disk',
    async (dir) => {
      await symlink('/dev/full', path.join(dir, 'message-flow.log'));
      return dir;
    },
    /ENOSPC/,
  ],
  [
    'where a file is',
    async (dir) => {
      await writeFile(path.join(dir, 'file'), '');
      return path.join(dir, 'file', 'logs');
    },
    /ENOTDIR/,
  ],
  [
    'where the log file is a folder',
    async (dir) => {
      await mkdir(path.join(dir, 'message-flow.log'));
      return dir;
    },
    /EISDIR/,
  ],
  [
    'where the log file is a FIFO that no program reads',
    (dir) => {
      execFileSync('mkfifo', [path.join(dir, 'message-flow.log')]);
      return Promise.resolve(dir);
    },
    /ENXIO/,
  ],
  ['at a path that is too long', (dir) => Promise.resolve(path.join(dir, 'x'.repeat(300))), /ENAMETOOLONG/],
  ['at a path with a NUL', (dir) => Promise.resolve(path.join(dir, 'a\0b')), /null bytes/],
  [
    'at a link to itself',
    async (dir) => {
      await symlink('loop', path.join(dir, 'loop'));
      return path.join(dir, 'loop');
    },
    /ELOOP/,
  ],
];

test.each(BAD_PLACES)(
  'with a log folder %s lines are lost, but no emission; standard error gets the reason once',
  async (_, make, reason) => {
    const logDir = await make(await temporaryDirectory());
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url, logger: undefined, logDir });
    for (let call = 0; call < 20; call += 1) expect(await bot.emitAppointmentCreated(ID)).toBe(true);
    await bot.close();
    expect(printed()).toEqual([expect.stringMatching(reason)]);
    expect(printed()[0]).toContain('set LOG_DIR');
  },
);

test.each(['deleted', 'moved away'])(
  'a log folder that is %s while the bot runs is created again',
  async (how) => {
    const logDir = path.join(await temporaryDirectory(), 'logs');
    const logger = createFileLogger({ logDir });
    logger.messageFlow('info', 'first');
    await eventually('the first line', async () => (await readLog(logDir)).length === 1);
    await (how === 'deleted' ? rm(logDir, { recursive: true }) : rename(logDir, `${logDir}.old`));
    logger.messageFlow('info', 'second');
    await logger.close();
    expect((await readLog(logDir)).map(({ message }) => message)).toEqual(['second']);
    expect(printed()).toEqual([]);
  },
);

/** Invalid loggers, which an application in JavaScript may pass. */
const BAD_LOGGERS: [string, () => unknown][] = [
  ['is null', () => null],
  ['has no methods', () => ({})],
  ['is text', () => 'log'],
  [
    'throws',
    () => ({
      messageFlow() {
        throw new Error('no');
      },
      close() {
        throw new Error('no');
      },
    }),
  ],
  [
    'rejects',
    () => ({
      messageFlow: () => Promise.reject(new Error('no')),
      close: () => Promise.reject(new Error('no')),
    }),
  ],
  [
    'never settles',
    () => ({ messageFlow: () => new Promise(() => undefined), close: () => new Promise(() => undefined) }),
  ],
  [
    'has getters that throw',
    () => ({
      get messageFlow() {
        throw new Error('no');
      },
      get close() {
        throw new Error('no');
      },
    }),
  ],
];

test.each(BAD_LOGGERS)('a logger that %s does not affect a call', async (_, make) => {
  const logger = make() as MessageFlowLogger;
  const backend = await startBackend();
  const logDir = await temporaryDirectory();
  const bot = startBot({ backendUrl: backend.url, logger, logDir });
  expect(await bot.emitAppointmentCreated(ID)).toBe(true);
  const bookings = { cancel: () => Promise.resolve({ outcome: 'unknown-appointment' as const }) };
  const tools = createToolHandlers({ bookings: bookings as never, realtime: bot, logger });
  expect(await tools.handle('cancel_appointment', { appointmentId: ID })).toMatchObject({ ok: false });
  await tools.close();
  await until('the bot to close', bot.close());
});

test('when the file can be written again, a line has the number of lost lines', async () => {
  const directory = await temporaryDirectory();
  const logDir = path.join(directory, 'logs');
  await writeFile(logDir, 'in the way');
  const logger = createFileLogger({ logDir, reopenDelayMs: 1 });
  logger.messageFlow('info', 'lost');
  await rm(logDir);
  await eventually('a line to be written', async () => {
    logger.messageFlow('info', 'again');
    await logger.close();
    return (await readLog(logDir).catch(() => [])).length > 0;
  });
  expect((await readLog(logDir))[0]).toMatchObject({ message: 'again', linesLost: expect.any(Number) });
});

test('if fields cannot be written as JSON, only their line is lost', async () => {
  const logDir = await temporaryDirectory();
  const logger = createFileLogger({ logDir });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  logger.messageFlow('info', 'circular', circular);
  logger.messageFlow('info', 'fine');
  await logger.close();
  expect((await readLog(logDir)).map(({ message }) => message)).toEqual(['fine']);
});
