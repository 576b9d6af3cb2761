import { describe, expect, test } from '@jest/globals';
import {
  type BookingService,
  createToolHandlers,
  TOOL_DEFINITIONS,
  toOpenAiTools,
} from '@appointment-emissions/bot';

const NOW = new Date('2031-05-01T08:00:00Z');
const A = '65f000000000000000000001';
const good = {
  book_appointment: {
    customerId: A,
    petId: A,
    serviceId: A,
    staffId: A,
    start: '2031-05-14T10:30:00+02:00',
    durationMinutes: 60,
  },
  reschedule_appointment: { appointmentId: A, start: '2031-05-14T10:30:00+02:00' },
  cancel_appointment: { appointmentId: A },
};

/** A booking service that fails each call. */
const untouched: BookingService = {
  book: () => Promise.reject(new Error('reached')),
  reschedule: () => Promise.reject(new Error('reached')),
  cancel: () => Promise.reject(new Error('reached')),
};
const yes = (): Promise<boolean> => Promise.resolve(true);
const realtime = { emitAppointmentCreated: yes, emitAppointmentUpdated: yes, emitAppointmentCanceled: yes };

function refusals() {
  return createToolHandlers({
    bookings: untouched,
    realtime,
    logger: { messageFlow: () => undefined },
    now: () => NOW,
  });
}

describe('tool definitions', () => {
  test('have a name, a description and a JSON schema of an object', () => {
    for (const { name, description, input_schema: schema } of TOOL_DEFINITIONS) {
      expect(name).toMatch(/^[a-z_]{1,64}$/);
      expect(description.length).toBeGreaterThan(20);
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining([...schema.required]));
    }
    expect(JSON.parse(JSON.stringify(TOOL_DEFINITIONS))).toEqual(TOOL_DEFINITIONS);
  });

  test('can be converted to the format of function calling', () => {
    expect(toOpenAiTools()[0]).toMatchObject({
      type: 'function',
      function: { name: 'book_appointment', parameters: { type: 'object' } },
    });
  });

  test('contain examples that are valid arguments', async () => {
    const { handle, definitions } = refusals();
    for (const { name, input_schema: schema } of definitions) {
      const args = Object.fromEntries(
        Object.entries(schema.properties).map(([key, { examples }]) => [key, examples[0]]),
      );
      // The arguments are valid, so the booking service is called.
      expect((await handle(name, args)).message).toContain('The calendar cannot be reached');
    }
  });
});

describe('invalid arguments are described for the model, and nothing is changed', () => {
  test.each<[keyof typeof good, string, unknown, string]>([
    ['book_appointment', 'start', undefined, 'start is missing. Example: "2031-05-14T10:30:00+02:00".'],
    [
      'book_appointment',
      'start',
      'tomorrow at ten',
      'start must be an ISO 8601 date and time with an offset from UTC, but was "tomorrow at ten". Example:',
    ],
    ['book_appointment', 'start', '2031-05-14', 'start must be an ISO 8601'],
    ['book_appointment', 'start', '2031-05-14T10:30:00', 'start must be an ISO 8601'],
    ['book_appointment', 'start', '2031-13-45T10:30:00Z', 'start must be a date and time that exists'],
    ['book_appointment', 'start', '2031-02-29T10:00:00+01:00', 'start must be a date and time that exists'],
    ['reschedule_appointment', 'start', '2031-04-31T10:00:00Z', 'start must be a date and time that exists'],
    ['book_appointment', 'start', '2031-05-14T24:00:00Z', 'start must be a date and time that exists'],
    ['book_appointment', 'start', '2031-05-14T10:00:60Z', 'start must be a date and time that exists'],
    ['book_appointment', 'start', '2031-05-14T10:00:00+99:99', 'start must be a date and time that exists'],
    ['book_appointment', 'start', '0000-01-01T10:00:00Z', 'start must be a date and time that exists'],
    [
      'book_appointment',
      'start',
      '9999-12-31T23:55:00Z',
      'start must not be after "9999-12-31T00:00:00.000Z"',
    ],
    ['book_appointment', 'start', ' 2031-05-14T10:30:00Z', 'start must be an ISO 8601'],
    ['book_appointment', 'start', '２031-05-14T10:30:00Z', 'start must be an ISO 8601'],
    ['book_appointment', 'start', '2031-W20-3T10:30:00Z', 'start must be an ISO 8601'],
    ['book_appointment', 'start', ['2031-05-14T10:30:00Z'], 'start must be a string'],
    ['book_appointment', 'start', 1_900_000_000, 'start must be a string, but was 1900000000'],
    [
      'book_appointment',
      'start',
      '2031-05-14T10:32:00Z',
      'start must be at a multiple of 5 minutes; the nearest is "2031-05-14T10:30:00.000Z"',
    ],
    [
      'book_appointment',
      'start',
      '2021-05-14T10:30:00Z',
      'start must be in the future; the time is now "2031-05-01T08:00:00.000Z"',
    ],
    [
      'book_appointment',
      'durationMinutes',
      '60',
      'durationMinutes must be a whole number, but was "60". Example: 60.',
    ],
    ['book_appointment', 'durationMinutes', 0, 'durationMinutes must be at least 5'],
    ['book_appointment', 'durationMinutes', 1_000, 'durationMinutes must be at most 480'],
    ['book_appointment', 'durationMinutes', 7, 'durationMinutes must be a multiple of 5'],
    [
      'book_appointment',
      'customerId',
      'Alice',
      'customerId must be 24 hexadecimal characters, but was "Alice"',
    ],
    ['book_appointment', 'customerId', { $ne: null }, 'customerId must be a string'],
    ['book_appointment', 'notes', 'x'.repeat(1_001), 'notes must have at most 1000 characters'],
    [
      'book_appointment',
      'companyId',
      A,
      '"companyId" is not an argument of this tool. Its arguments are customerId,',
    ],
    ['reschedule_appointment', 'appointmentId', '', 'appointmentId is missing'],
    ['reschedule_appointment', 'start', '2021-05-14T10:30:00Z', 'start must be in the future'],
    ['cancel_appointment', 'appointmentId', null, 'appointmentId is missing'],
  ])('%s with %s %j', async (name, argument, value, words) => {
    const result = await refusals().handle(name, { ...good[name], [argument]: value });
    expect(result.ok).toBe(false);
    expect(result.message).toContain('Nothing was done.');
    expect(result.message).toContain(words);
    expect(result.message.length).toBeLessThan(400);
  });

  test.each([...Array(8).keys()])(
    'an emoji at the end of a quoted value is kept whole or removed (position %i)',
    async (shift) => {
      for (const emoji of ['🐶', '👩‍👩‍👧‍👦', '🇩🇪']) {
        const start = 'x'.repeat(72 + shift) + emoji + 'x'.repeat(20);
        const unknown = `${'y'.repeat(72 + shift)}${emoji}yyyyyyyyyyyy`;
        const args = { ...good.book_appointment, start, [unknown]: 1 };
        const { message } = await refusals().handle('book_appointment', args);
        expect(message).not.toMatch(/\p{Surrogate}/u);
        const quoted = message.match(/"(x+|y+)[^ .x"y]*/g)!.map((part) => part.replace(/^"[xy]+/, ''));
        expect(['', emoji]).toEqual(expect.arrayContaining(quoted));
      }
    },
  );

  test('a quoted value contains no lone surrogates, direction marks or control characters', async () => {
    const value = 'Rex\ud83d \udc36\u202e\u200f\u2028\u0085\0\n';
    const { message } = await refusals().handle('book_appointment', {
      ...good.book_appointment,
      start: value,
      [value]: 1,
    });
    expect(message).toContain('but was "Rex');
    expect(message).not.toMatch(/[\p{Surrogate}\p{Cc}\u202e\u200f\u2028]/u);
  });

  test('all problems are reported together', async () => {
    const { message } = await refusals().handle('book_appointment', {});
    for (const name of ['customerId', 'petId', 'serviceId', 'staffId', 'start', 'durationMinutes']) {
      expect(message).toContain(`${name} is missing`);
    }
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a list', []],
    ['a number', 3],
    ['words', 'cancel it'],
    ['broken JSON', '{"appointmentId": '],
    ['a BigInt in it', { appointmentId: 1n }],
    [
      'a revoked Proxy',
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    ],
    [
      'a getter that throws',
      {
        get appointmentId(): string {
          throw new Error('getter');
        },
      },
    ],
  ])('%s as the arguments', async (_, args) => {
    for (const name of Object.keys(good)) {
      expect(await refusals().handle(name, args)).toEqual({ ok: false, message: expect.any(String) });
    }
  });

  test('an unknown tool', async () => {
    const { message } = await refusals().handle('delete_everything', {});
    expect(message).toBe(
      'There is no such tool. The tools are book_appointment, reschedule_appointment, cancel_appointment.',
    );
  });
});

test('notes are limited in code points, and the booking service receives them well-formed', async () => {
  const saved: (string | undefined)[] = [];
  const { handle } = createToolHandlers({
    bookings: {
      ...untouched,
      book: ({ notes }) => {
        saved.push(notes);
        return Promise.resolve({ outcome: 'unknown-appointment' });
      },
    },
    realtime,
    logger: { messageFlow: () => undefined },
    now: () => NOW,
  });
  const book = (notes: string) => handle('book_appointment', { ...good.book_appointment, notes });
  await book('🐶'.repeat(1_000));
  await book('Rex \ud83d');
  expect(saved).toEqual(['🐶'.repeat(1_000), 'Rex \ufffd']);
  expect((await book('🐶'.repeat(1_001))).message).toContain('notes must have at most 1000 characters');
});

test('arguments may be JSON text', async () => {
  const { message } = await refusals().handle('cancel_appointment', JSON.stringify(good.cancel_appointment));
  expect(message).toContain('The calendar cannot be reached');
});
