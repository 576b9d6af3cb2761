import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type BookingOutcome, type BookingService, createToolHandlers } from '@appointment-emissions/bot';
import { absentUrl, closeAfterEach, ID, startBackend, startBot, timed, type LogLine } from './bot-world.ts';

closeAfterEach();

const start = new Date(Date.now() + 86_400_000);
start.setUTCMinutes(0, 0, 0);
const appointment = { appointmentId: ID, staffId: ID, start, end: new Date(start.getTime() + 3_600_000) };
const calls = {
  book_appointment: {
    customerId: ID,
    petId: ID,
    serviceId: ID,
    staffId: ID,
    start: start.toISOString(),
    durationMinutes: 60,
  },
  reschedule_appointment: { appointmentId: ID, start: start.toISOString() },
  cancel_appointment: { appointmentId: ID },
} as const;
const tools = Object.keys(calls) as (keyof typeof calls)[];

function serviceThat(answer: () => Promise<BookingOutcome>): BookingService {
  return { book: answer, reschedule: answer, cancel: answer };
}
const saves = serviceThat(() => Promise.resolve({ outcome: 'done', appointment, changed: true }));

let warnings: jest.SpiedFunction<typeof console.warn>;
beforeEach(() => {
  warnings = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  warnings.mockRestore();
});

type Emit = (appointmentId: unknown) => Promise<boolean>;
function handlersWith(emit: Emit, bookings = saves) {
  const lines: LogLine[] = [];
  const realtime = {
    emitAppointmentCreated: emit,
    emitAppointmentUpdated: emit,
    emitAppointmentCanceled: emit,
  };
  const messageFlow = (level: string, message: string, fields = {}): void => {
    lines.push({ level, message, ...fields });
  };
  return { ...createToolHandlers({ bookings, realtime, logger: { messageFlow } }), lines };
}

describe('after saving', () => {
  test.each([
    ['book_appointment', 'appointment-created'],
    ['reschedule_appointment', 'appointment-updated'],
    ['cancel_appointment', 'appointment-canceled'],
  ] as const)('%s emits its event', async (tool, slug) => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });
    const handlers = createToolHandlers({
      bookings: saves,
      realtime: bot,
      logger: { messageFlow: () => undefined },
    });
    expect(await handlers.handle(tool, calls[tool])).toEqual({
      ok: true,
      message: expect.any(String),
      appointment: {
        appointmentId: ID,
        staffId: ID,
        start: start.toISOString(),
        end: appointment.end.toISOString(),
      },
    });
    await handlers.close();
    expect(warnings).not.toHaveBeenCalled();
    expect(backend.received.map(({ path, body }) => ({ path, body }))).toEqual([
      { path: `/api/v1/internal/socket/${slug}`, body: { appointmentId: ID } },
    ]);
  });

  test.each<BookingOutcome>([
    { outcome: 'done', appointment, changed: false },
    { outcome: 'busy', from: start, to: appointment.end },
    { outcome: 'unknown-appointment' },
    { outcome: 'unknown-reference', reference: 'petId' },
    { outcome: 'is-canceled', appointment },
  ])('nothing is emitted if nothing was written: $outcome', async (outcome) => {
    let emitted = 0;
    const emit: Emit = () => {
      emitted += 1;
      return Promise.resolve(true);
    };
    const { handle } = handlersWith(
      emit,
      serviceThat(() => Promise.resolve(outcome)),
    );
    for (const tool of tools) {
      const { ok, message } = await handle(tool, calls[tool]);
      expect(ok).toBe(outcome.outcome === 'done');
      expect(message.length).toBeGreaterThan(20);
    }
    expect(emitted).toBe(0);
  });
});

describe('an emission that fails does not fail the booking', () => {
  test.each<[string, Emit, string]>([
    [
      'that is refused',
      () => Promise.resolve(false),
      'the emission was not accepted; the message-flow log has the reason',
    ],
    ['that rejects', () => Promise.reject(new Error('no route')), 'no route'],
    [
      'that throws',
      () => {
        throw new Error('at once');
      },
      'at once',
    ],
  ])('%s', async (_, emit, reason) => {
    const handlers = handlersWith(emit);
    for (const tool of tools) expect((await handlers.handle(tool, calls[tool])).ok).toBe(true);
    expect(handlers.lines.map(({ level, message }) => ({ level, message }))).toEqual(
      tools.map((tool) => ({ level: 'warn', message: `[${tool}] Failed to emit socket event: ${reason}` })),
    );
    expect(warnings.mock.calls).toEqual(
      tools.map((tool) => [`[${tool}] Failed to emit socket event: ${reason} (appointment ${ID})`]),
    );
  });

  test('to an unreachable backend', async () => {
    const bot = startBot({ backendUrl: await absentUrl() });
    const lines: string[] = [];
    const logger = { messageFlow: (_: string, message: string) => void lines.push(message) };
    const handlers = createToolHandlers({ bookings: saves, realtime: bot, logger });
    expect((await handlers.handle('book_appointment', calls.book_appointment)).ok).toBe(true);
    await handlers.close();
    expect(lines).toEqual([
      '[book_appointment] Failed to emit socket event: the emission was not accepted; the message-flow log has the reason',
    ]);
  });
});

test('a slow emission delays the tool by less than 50 ms, continues in the background, and close() waits for it', async () => {
  let finish: (accepted: boolean) => void = () => undefined;
  const handlers = handlersWith(() => new Promise((resolve) => (finish = resolve)));
  const { result, ms } = await timed(handlers.handle('book_appointment', calls.book_appointment));
  expect(result.ok).toBe(true);
  expect(ms).toBeGreaterThanOrEqual(35);
  expect(ms).toBeLessThan(500);
  expect(handlers.lines).toEqual([]);
  const closed = handlers.close();
  finish(false);
  await closed;
  expect(handlers.lines).toHaveLength(1);
});

test('a failure of the booking service is described for the model, and the error is only logged', async () => {
  const bookings = serviceThat(() => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7')));
  const handlers = handlersWith(() => Promise.resolve(true), bookings);
  const { ok, message } = await handlers.handle('book_appointment', calls.book_appointment);
  expect(ok).toBe(false);
  expect(message).not.toContain('ECONNREFUSED');
  expect(handlers.lines[0]).toMatchObject({ level: 'error', stack: expect.stringContaining('ECONNREFUSED') });
});
