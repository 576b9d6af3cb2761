import { expect, test } from '@jest/globals';
import { rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createFileLogger } from '../../packages/bot/src/message-flow-file.ts';
import { eventually } from '../harness/until.ts';
import { absentUrl, ID, readLog, startBackend, startBot, temporaryDirectory } from './bot-world.ts';

test('both lines, to the letter, in a directory that did not exist', async () => {
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

test('a full disk costs lines, never an emission', async () => {
  const logDir = await temporaryDirectory();
  await symlink('/dev/full', path.join(logDir, 'message-flow.log'));
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url, logger: undefined, logDir });
  for (let call = 0; call < 20; call += 1) expect(await bot.emitAppointmentCreated(ID)).toBe(true);
  await bot.close();
});

test('a directory that can not be made costs lines, never an emission', async () => {
  const file = path.join(await temporaryDirectory(), 'file');
  await writeFile(file, '');
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url, logger: undefined, logDir: path.join(file, 'logs') });
  expect(await bot.emitAppointmentCreated(ID)).toBe(true);
  await bot.close();
});

test('once the disk has room again, lines say how many were lost', async () => {
  const directory = await temporaryDirectory();
  const logDir = path.join(directory, 'logs');
  await writeFile(logDir, 'in the way');
  const logger = createFileLogger({ logDir, reopenDelayMs: 1 });
  logger.messageFlow('info', 'lost');
  await rm(logDir);
  await eventually('a line to be written', async () => {
    logger.messageFlow('info', 'again');
    await logger.close?.();
    return (await readLog(logDir).catch(() => [])).length > 0;
  });
  expect((await readLog(logDir))[0]).toMatchObject({ message: 'again', linesLost: expect.any(Number) });
});

test('fields that can not be written as JSON cost the line only', async () => {
  const logDir = await temporaryDirectory();
  const logger = createFileLogger({ logDir });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  logger.messageFlow('info', 'circular', circular);
  logger.messageFlow('info', 'fine');
  await logger.close?.();
  expect((await readLog(logDir)).map(({ message }) => message)).toEqual(['fine']);
});
