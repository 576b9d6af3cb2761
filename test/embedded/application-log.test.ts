import { afterEach, expect, jest, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createApplicationLog } from '../../src/embedded/application-log.ts';
import type { ApplicationLogger } from '../../src/embedded/options.ts';

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
afterEach(() => {
  process.off('unhandledRejection', note);
});

test('each line goes to a method of the logger, with its fields', () => {
  const lines: unknown[] = [];
  class Logger {
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
  const log = createApplicationLog(new Logger());
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

test('a logger with messageFlow gets the lines itself, and logger.messageFlow can be given instead', () => {
  const lines: unknown[] = [];
  const methods = (name: string) => ({
    info: (message: string) => lines.push([name, message]),
    warning: (message: string) => lines.push([name, message]),
    error: (message: string) => lines.push([name, message]),
  });
  const logger = { ...methods('combined.log'), messageFlow: methods('message-flow.log') };
  createApplicationLog(logger).error('[InternalSocket] Failed to emit');
  createApplicationLog(logger.messageFlow).error('[InternalSocket] Failed to emit');
  expect(lines).toEqual([
    ['combined.log', '[InternalSocket] Failed to emit'],
    ['message-flow.log', '[InternalSocket] Failed to emit'],
  ]);
});

const hostile: unknown = Object.create(null);
test.each<[string, unknown, string]>([
  ['throws', { error: raise(new Error('no disk')) }, 'no disk'],
  ['rejects', { error: () => Promise.reject(new Error('no network')) }, 'no network'],
  ['throws a value that cannot be printed', { error: raise(hostile) }, 'a value that is not an error'],
  [
    'rejects with one',
    { error: () => Promise.resolve().then(raise(hostile)) },
    'a value that is not an error',
  ],
  ['returns a promise that is not one', { error: () => ({ then: raise(new Error('odd')) }) }, 'odd'],
  ['lacks the method error', {}, 'it has no method error'],
  ['has a method that is no function', { error: true }, 'it has no method error'],
  [
    'throws when its method is read',
    Object.defineProperty({}, 'error', { get: raise(new Error('gone')) }),
    'gone',
  ],
  ['is a function', () => undefined, 'it has no method error'],
])(
  'if a logger %s, each line that it loses is on standard error once, with the reason, and the caller continues',
  async (_, broken, reason) => {
    process.on('unhandledRejection', note);
    const errors = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    try {
      const log = createApplicationLog(broken as ApplicationLogger);
      log.error({ appointmentId: 'a' }, '[InternalSocket] Failed to emit');
      log.error('[InternalSocket] the next line');
      await nextTurn();
      await nextTurn();
      expect(unhandled).toEqual([]);
      const printed = errors.mock.calls.map(([text]) => String(text));
      expect(printed).toEqual([
        expect.stringMatching(/\[InternalSocket\] Failed to emit/),
        expect.stringMatching(/\[InternalSocket\] the next line/),
      ]);
      expect(printed[0]).toContain(reason);
      expect(printed[0]).toContain('"appointmentId":"a"');
    } finally {
      errors.mockRestore();
    }
  },
);

function raise(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}
