import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Types } from 'mongoose';
import { createToolHandlers } from '@appointment-emissions/bot';
import { readRow, reservationAfter, writtenAt } from '../../demo/appointment-row.ts';
import { COLLECTIONS } from '../../demo/models.ts';
import { anyFields, READ_ONLY_VALUES, STORED_VALUES } from '../harness/stored-values.ts';
import { at, done, startBookings } from './booking-world.ts';
import { closeAfterEach } from './bot-world.ts';

closeAfterEach();

type World = Awaited<ReturnType<typeof startBookings>>;

const FIELDS = [
  'customerId',
  'petId',
  'serviceId',
  'staffId',
  'start',
  'end',
  'status',
  'createdAt',
  'updatedAt',
  'slots',
];

function store({ insert, ids }: World, fields: Record<string, unknown>): Promise<string> {
  const { petId, staffId } = ids;
  const right = {
    petId: new Types.ObjectId(petId),
    staffId: new Types.ObjectId(staffId),
    start: at(0),
    end: at(60),
    status: 'scheduled',
    updatedAt: new Date(),
  };
  return insert(
    COLLECTIONS.appointments,
    Object.fromEntries(
      Object.entries<unknown>({ ...right, ...fields }).filter(([, value]) => value !== undefined),
    ),
  );
}

function toolsOf({ service }: World) {
  const emitted: string[] = [];
  const emit = (event: string) => (appointmentId: unknown) => {
    emitted.push(`${event} ${String(appointmentId)}`);
    return Promise.resolve(true);
  };
  const logged: string[] = [];
  const causes: unknown[] = [];
  const handlers = createToolHandlers({
    bookings: service,
    realtime: {
      emitAppointmentCreated: emit('created'),
      emitAppointmentUpdated: emit('updated'),
      emitAppointmentCanceled: emit('canceled'),
    },
    logger: {
      messageFlow(_level, message, fields) {
        logged.push(message);
        causes.push(fields?.cause);
      },
    },
  });
  return { ...handlers, emitted, logged, causes };
}

/** True for a date that serializes to ISO 8601 with a four-digit year. */
const isDate = (value: unknown) => /^\d{4}-/.test(JSON.stringify(value instanceof Date && value).slice(1));

describe.each(['staffId', 'start', 'end', 'status', 'updatedAt', 'createdAt', 'slots', 'petId'])(
  'an appointment with any value as %s',
  (field) => {
    test('can be canceled, and the cancelation is emitted', async () => {
      const world = await startBookings();
      for (const [kind, value] of STORED_VALUES) {
        const tools = toolsOf(world);
        const appointmentId = await store(world, { [field]: value });
        const result = await tools.handle('cancel_appointment', { appointmentId });
        expect([kind, result]).toMatchObject([kind, { ok: true, message: 'Canceled.' }]);
        expect(tools.emitted).toEqual([`canceled ${appointmentId}`]);
        const stored = await world.read(appointmentId);
        expect([kind, stored?.status, 'slots' in stored!]).toEqual([kind, 'canceled', false]);
        expect([kind, isDate(stored?.updatedAt)]).toEqual([kind, true]);
        await world.appointments.deleteMany({});
      }
    });
  },
);

describe('rescheduling', () => {
  test.each([
    ['end is missing', { end: undefined }],
    ['start is text', { start: 'tomorrow' }],
    ['end is before its start', { end: at(-60) }],
    ['length is more than a month', { end: new Date('9999-01-01T00:00:00Z') }],
  ])('an appointment whose %s requires a duration', async (_, fields) => {
    const world = await startBookings();
    const tools = toolsOf(world);
    const appointmentId = await store(world, fields);
    const before = await world.read(appointmentId);
    const start = at(600).toISOString();
    expect(await tools.handle('reschedule_appointment', { appointmentId, start })).toEqual({
      ok: false,
      message: expect.stringMatching(/^Nothing was done: .*durationMinutes/),
    });
    expect(await world.read(appointmentId)).toEqual(before);
    expect(tools.emitted).toEqual([]);

    const moved = await tools.handle('reschedule_appointment', { appointmentId, start, durationMinutes: 30 });
    expect(moved).toMatchObject({ ok: true, appointment: { start, end: at(630).toISOString() } });
    expect(await world.read(appointmentId)).toMatchObject({ start: at(600), end: at(630) });
    expect(tools.emitted).toEqual([`updated ${appointmentId}`]);
  });

  test('an appointment without a staff member requires one', async () => {
    const world = await startBookings();
    const appointmentId = await store(world, { staffId: null });
    const request = { appointmentId, start: at(600) };
    expect(await world.service.reschedule(request)).toEqual({ outcome: 'refused', reason: 'unknown-staff' });
    const { staffId } = world.ids;
    expect(done(await world.service.reschedule({ ...request, staffId })).changed).toBe(true);
  });

  test('writes ids as ObjectIds, so that the unique index compares them', async () => {
    const world = await startBookings();
    const appointmentId = await store(world, { staffId: world.ids.staffId.toUpperCase() });
    done(await world.service.reschedule({ appointmentId, start: at(600) }));
    expect((await world.read(appointmentId))?.staffId).toEqual(new Types.ObjectId(world.ids.staffId));
  });

  test.each(READ_ONLY_VALUES)('a stored value that is %s is read as missing', (_, value) => {
    const row = { _id: new Types.ObjectId(), staffId: value, start: value, end: value, updatedAt: value };
    const read = readRow(row);
    expect(read).toMatchObject({ staffId: null, start: null, end: null, updatedAt: null });
    expect(reservationAfter(read, { appointmentId: '', start: at(0) })).toBe('unknown-staff');
    expect(
      reservationAfter(readRow({ ...row, staffId: new Types.ObjectId() }), {
        appointmentId: '',
        start: at(0),
      }),
    ).toBe('unknown-length');
  });

  test('updatedAt is later than the last write, unless that is far in the future', () => {
    const now = at(0);
    expect(writtenAt(now, at(60))).toEqual(new Date(at(60).getTime() + 1));
    expect(writtenAt(now, new Date('9999-12-31T23:59:59.999Z'))).toEqual(now);
    expect(writtenAt(now, null)).toEqual(now);
  });
});

test('an appointment that would end after the year 9999 is refused', async () => {
  const world = await startBookings();
  const start = new Date('9999-12-31T23:55:00Z');
  expect(await world.service.book(world.request(0, 60, { start }))).toEqual({
    outcome: 'refused',
    reason: 'time-out-of-range',
  });
  expect(await world.appointments.countDocuments()).toBe(0);
});

describe('an overlap is found', () => {
  const DAY = 24 * 60;
  test.each([
    ['with an appointment that lasts four days', { start: at(0), end: at(4 * DAY) }, 2 * DAY],
    ['with an appointment that lasts two years', { start: at(-365 * DAY), end: at(365 * DAY) }, 0],
    ['with an appointment without an end', { start: at(30), end: undefined }, 0],
    ['with an appointment whose end is text', { start: at(30), end: 'later' }, 0],
    [
      'with an appointment that ends in the year 9999',
      { start: at(30), end: new Date('9999-12-31T23:59:59.999Z') },
      DAY,
    ],
    [
      'with an appointment that has slots only',
      { start: null, end: null, slots: [Math.floor(at(30).getTime() / 300_000)] },
      0,
    ],
  ])('%s', async (_, fields, minute) => {
    const world = await startBookings();
    await store(world, fields);
    const tools = toolsOf(world);
    const { start, ...request } = world.request(minute);
    const result = await tools.handle('book_appointment', { ...request, start: start.toISOString() });
    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('has another appointment') });
    expect(await world.appointments.countDocuments()).toBe(1);
  });

  test.each(['toLowerCase', 'toUpperCase'] as const)(
    'with a staff member stored as text (%s)',
    async (form) => {
      const world = await startBookings();
      await store(world, { staffId: world.ids.staffId[form](), start: at(0), end: at(60) });
      expect(await world.service.book(world.request(30))).toMatchObject({
        outcome: 'busy',
        from: at(0),
        to: at(60),
      });
    },
  );

  test('with an index that skips past appointments', async () => {
    const world = await startBookings();
    done(await world.service.book(world.request(0)));
    const keys = (await world.appointments.indexes()).map(({ key }) => JSON.stringify(key));
    expect(keys).toEqual(expect.arrayContaining(['{"staffId":1,"end":1}', '{"staffId":1,"start":1}']));
  });
});

test('documents with malformed slots do not prevent the unique index', async () => {
  const world = await startBookings();
  // A small integer is a valid slot, so two documents with it do overlap.
  const malformed = STORED_VALUES.filter(([kind]) => !['an array of numbers', 'an Int32'].includes(kind));
  for (const [, slots] of [...malformed, ['huge numbers', [1e300, 2e300]] as const]) {
    const far = { start: at(100_000), end: at(100_060), status: 'canceled', slots };
    await store(world, far);
    await store(world, far);
  }
  const results = await Promise.all([0, 1, 2].map(() => world.service.book(world.request(0))));
  expect(results.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
});

test('a write that the database rejects is reported, and its cause is logged without the document', async () => {
  const world = await startBookings();
  const phone = '+49 170 1234567';
  await world.appointments.createIndex({ notes: 1 }, { unique: true }, {});
  done(await world.service.book(world.request(0, 60, { notes: phone })));
  const tools = toolsOf(world);
  const { start, ...request } = world.request(300, 60, { notes: phone });
  expect(await tools.handle('book_appointment', { ...request, start: start.toISOString() })).toEqual({
    ok: false,
    message: expect.stringMatching(/^Nothing was done: the calendar rejected this change/),
  });
  expect(tools.logged).toEqual(['[book_appointment] The booking service rejected the change']);
  expect(tools.causes).toEqual(['MongoDB rejected the command with code 11000 (DuplicateKey)']);
  expect(await world.appointments.countDocuments()).toBe(1);
});

describe('ids stored as text', () => {
  test.each(['toLowerCase', 'toUpperCase'] as const)(
    '(%s) match the same company, customer and service',
    async (form) => {
      const world = await startBookings();
      const companyId = world.companyId[form]();
      const customerId = await world.insert(COLLECTIONS.customers, { companyId });
      const petId = await world.insert(COLLECTIONS.pets, { companyId, customerId: customerId[form]() });
      const serviceId = await world.insert(COLLECTIONS.services, { companyId });
      const serviceItemId = await world.insert(COLLECTIONS.serviceItems, {
        companyId,
        serviceId: serviceId[form](),
      });
      const staffId = await world.insert(COLLECTIONS.staff, { companyId });
      done(
        await world.service.book(
          world.request(0, 60, { customerId, petId, serviceId, serviceItemId, staffId }),
        ),
      );
      const appointmentId = await store(world, { companyId });
      expect(done(await world.service.cancel(appointmentId)).changed).toBe(true);
    },
  );

  test.each([
    ['a list of companies', (own: string) => [new Types.ObjectId(own), new Types.ObjectId()]],
    [
      'mixed case',
      (own: string) => own.replace(/[a-f]/, (letter) => letter.toUpperCase()).replace(/[0-9]/g, 'a'),
    ],
    ['null', () => undefined],
  ])('an appointment whose companyId is %s is not found', async (_, companyOf) => {
    const world = await startBookings();
    const appointmentId = await store(world, { companyId: companyOf(world.companyId) ?? null });
    expect(await world.service.cancel(appointmentId)).toEqual({ outcome: 'unknown-appointment' });
    expect(await world.read(appointmentId)).toMatchObject({ status: 'scheduled' });
  });
});

test('for any stored document, results agree with the database and nothing invalid is written', async () => {
  const world = await startBookings();
  const operation = fc.constantFrom('cancel', 'move', 'move for an hour', 'move to somebody', 'book');
  await fc.assert(
    fc.asyncProperty(
      anyFields(FIELDS),
      fc.array(operation, { minLength: 1, maxLength: 3 }),
      async (fields, operations) => {
        await world.appointments.deleteMany({});
        const tools = toolsOf(world);
        const appointmentId = await store(world, fields);
        for (const name of operations) {
          const before = await world.read(appointmentId);
          const announced = tools.emitted.length;
          const result = await run(tools, world, name, appointmentId);
          expect(tools.logged).toEqual([]);
          const after = await world.read(appointmentId);
          const isChanged = result.ok && !result.message.includes('nothing was changed');
          if (name !== 'book') expect(JSON.stringify(after) !== JSON.stringify(before)).toBe(isChanged);
          expect(tools.emitted.length - announced).toBe(isChanged ? 1 : 0);
          if (!isChanged) continue;
          const id = String(result.appointment?.appointmentId);
          expectValid(await world.read(id), name);
        }
      },
    ),
    { numRuns: 150 },
  );
});

function run(tools: ReturnType<typeof toolsOf>, world: World, name: string, appointmentId: string) {
  const { start, ...request } = world.request(0);
  const time = { start: start.toISOString() };
  if (name === 'book') return tools.handle('book_appointment', { ...request, ...time });
  if (name === 'cancel') return tools.handle('cancel_appointment', { appointmentId });
  return tools.handle('reschedule_appointment', {
    appointmentId,
    start: at(120).toISOString(),
    ...(name !== 'move' && { durationMinutes: 60 }),
    ...(name === 'move to somebody' && { staffId: world.otherStaffId }),
  });
}

function expectValid(row: Record<string, unknown> | null, written: string): void {
  expect(isDate(row?.updatedAt)).toBe(true);
  if (written === 'cancel') {
    expect(row).toMatchObject({ status: 'canceled' });
    expect(row).not.toHaveProperty('slots');
    return;
  }
  const { start, end, staffId, slots } = row as { start: Date; end: Date; staffId: unknown; slots: number[] };
  expect([isDate(start), isDate(end), end > start]).toEqual([true, true, true]);
  expect(staffId).toBeInstanceOf(Types.ObjectId);
  expect(slots).toHaveLength(Math.ceil((end.getTime() - start.getTime()) / 300_000));
}
