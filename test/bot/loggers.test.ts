import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createToolHandlers, type MessageFlowLogger } from '@appointment-emissions/bot';
import { eventually } from '../harness/until.ts';
import {
  absentUrl,
  closeAfterEach,
  ID,
  json,
  startBackend,
  startBot,
  temporaryDirectory,
} from './bot-world.ts';

closeAfterEach();

let errors: jest.SpiedFunction<typeof console.error>;
let warnings: jest.SpiedFunction<typeof console.warn>;
beforeEach(() => {
  errors = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  warnings = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  errors.mockRestore();
  warnings.mockRestore();
});
const printed = () => [...errors.mock.calls, ...warnings.mock.calls].map(([text]) => String(text));

type Line = [method: string, message: string, fields: unknown];

/** A logger as applications have it: its methods need `this`. */
class MethodLogger {
  readonly lines: Line[] = [];
  info(message: string, fields?: unknown): void {
    this.lines.push(['info', message, fields]);
  }
  warning(message: string, fields?: unknown): void {
    this.lines.push(['warning', message, fields]);
  }
  error(message: string, fields?: unknown): void {
    this.lines.push(['error', message, fields]);
  }
}
class WarnLogger extends MethodLogger {
  override warning = undefined as never;
  warn(message: string, fields?: unknown): void {
    this.lines.push(['warn', message, fields]);
  }
}

const withMethods = new MethodLogger();
const withWarn = new WarnLogger();
const nested = new MethodLogger();
const functionLines: Line[] = [];
const log = (level: string, message: string, fields?: unknown): void => {
  functionLines.push([level, message, fields]);
};

test.each<[string, MessageFlowLogger, Line[], string]>([
  ['an object with info, warning and error', withMethods, withMethods.lines, 'warning'],
  ['an object with info, warn and error', withWarn, withWarn.lines, 'warn'],
  ['an object with such an object as messageFlow', { messageFlow: nested }, nested.lines, 'warning'],
  ['a function', log, functionLines, 'warn'],
])('a logger can be %s', async (_, logger, lines, warning) => {
  const backend = await startBackend();
  const bot = startBot({ backendUrl: backend.url, logger });
  expect(await bot.emitAppointmentCreated(ID)).toBe(true);
  expect(await bot.emitAppointmentCreated(undefined)).toBe(false);
  const keyless = startBot({ backendUrl: backend.url, apiKey: '', logger });
  expect(await keyless.emitAppointmentCreated(ID)).toBe(false);
  expect(lines).toEqual([
    [
      'info',
      'Successfully emitted appointment:created socket event',
      expect.objectContaining({ appointmentId: ID }),
    ],
    [
      'error',
      'Failed to emit socket event',
      expect.objectContaining({ reason: 'no appointmentId was given' }),
    ],
    [warning, 'Failed to emit socket event', expect.objectContaining({ appointmentId: ID })],
  ]);
  expect(printed()).toEqual([]);
});

test('close() closes a logger of the form {messageFlow, close}, but not a logger of the application', async () => {
  const closed: string[] = [];
  /** As a logger of winston, whose `close` ends all its transports. */
  class ApplicationLogger extends MethodLogger {
    close(): void {
      closed.push('application');
    }
  }
  const messageFlow = new ApplicationLogger();
  await startBot({ logger: messageFlow }).close();
  await startBot({ logger: { messageFlow } }).close();
  expect(closed).toEqual([]);
  const close = () => Promise.resolve(void closed.push('log'));
  await startBot({ logger: { messageFlow, close } }).close();
  expect(closed).toEqual(['log']);
});

test('tool handlers write to the same kinds of logger', async () => {
  const logger = new MethodLogger();
  const bookings = { cancel: () => Promise.reject(new Error('the store is down')) };
  const bot = startBot({ logger });
  const tools = createToolHandlers({ bookings: bookings as never, realtime: bot, logger });
  await tools.handle('cancel_appointment', { appointmentId: ID });
  expect(logger.lines).toEqual([
    ['error', '[cancel_appointment] The booking service failed', expect.anything()],
  ]);
});

test.each<[string, unknown, string]>([
  ['throws', () => raise(), 'no space'],
  ['rejects', { info: reject, warn: reject, error: reject }, 'no space'],
  ['lacks a method', { info: () => undefined, warn: () => undefined }, 'it has no method error'],
  ['lacks all methods', {}, 'it has no method error'],
])(
  'if a logger %s, standard error gets the reason and the first lost line, once',
  async (_, given, reason) => {
    const bot = startBot({ backendUrl: await absentUrl(), logger: given as MessageFlowLogger });
    for (let call = 0; call < 3; call += 1) expect(await bot.emitAppointmentCreated(undefined)).toBe(false);
    await eventually('the report', () => printed().length > 0);
    expect(printed()).toEqual([expect.stringContaining(reason)]);
    expect(printed()[0]).toContain('Failed to emit socket event (no appointmentId was given)');
  },
);

function raise(): never {
  throw new Error('no space');
}
function reject(): Promise<never> {
  return Promise.reject(new Error('no space'));
}

test('without a logger the console gets each reason of a failed call once', async () => {
  const logDir = await temporaryDirectory();
  const backend = await startBackend((response) => {
    json(response, 401, { success: false });
  });
  const bot = startBot({ backendUrl: backend.url, logger: undefined, logDir });
  for (let call = 0; call < 3; call += 1) {
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(await bot.emitAppointmentCreated(undefined)).toBe(false);
  }
  await bot.close();
  expect(printed()).toEqual([
    `Failed to emit socket event: HTTP error (401). Details are in message-flow.log, in the folder ${logDir}.`,
    `Failed to emit socket event: no appointmentId was given. Details are in message-flow.log, in the folder ${logDir}.`,
  ]);
});

test('without a logger and without a key the console gets one warning', async () => {
  const bot = startBot({ apiKey: undefined, logger: undefined, logDir: await temporaryDirectory() });
  for (let call = 0; call < 3; call += 1) expect(await bot.emitAppointmentCreated(ID)).toBe(false);
  await bot.close();
  expect(errors).not.toHaveBeenCalled();
  expect(printed()).toEqual([expect.stringContaining('INTERNAL_SERVICE_API_KEY is not set')]);
});
