import { afterEach, expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createApplicationLog } from '../../src/embedded/application-log.ts';

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
afterEach(() => {
  process.off('unhandledRejection', note);
});

test('each line goes to a method of the logger, with its fields', () => {
  const lines: unknown[] = [];
  class ApplicationLogger {
    readonly #lines = lines;
    info(message: string, fields?: object): void {
      this.#lines.push(['info', message, fields]);
    }
    warning(message: string, fields?: object): void {
      this.#lines.push(['warning', message, fields]);
    }
    error(message: string, fields?: object): void {
      this.#lines.push(['error', message, fields]);
    }
  }
  const log = createApplicationLog(new ApplicationLogger());
  log.debug('not written');
  log.info({ a: 1 }, 'first');
  log.warn('second');
  log.fatal({ b: 2 }, 'third');
  expect(lines).toEqual([
    ['info', 'first', { a: 1 }],
    ['warning', 'second', {}],
    ['error', 'third', { b: 2 }],
  ]);
});

test('a logger that throws or rejects does not end the process', async () => {
  process.on('unhandledRejection', note);
  const log = createApplicationLog({
    info: () => {
      throw new Error('no disk');
    },
    error: () => Promise.reject(new Error('no network')),
  });
  log.info('a line');
  log.error('another line');
  await nextTurn();
  await nextTurn();
  expect(unhandled).toEqual([]);
});
