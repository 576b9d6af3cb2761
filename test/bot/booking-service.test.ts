import { describe, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { createBookingService } from '../../demo/booking-service.ts';
import { COLLECTIONS } from '../../demo/models.ts';
import { at, done, startBookings } from './booking-world.ts';
import { closeAfterEach } from './bot-world.ts';

closeAfterEach();

const NOBODY = '65f0000000000000000000ff';

describe('book', () => {
  test('writes a scheduled appointment with createdAt and updatedAt', async () => {
    const world = await startBookings();
    const before = Date.now();
    const { appointment, changed } = done(await world.service.book(world.request(0, 90, { notes: 'shy' })));
    expect(changed).toBe(true);
    expect(appointment).toMatchObject({ staffId: world.ids.staffId, start: at(0), end: at(90) });

    const row = await world.read(appointment.appointmentId);
    expect(row).toMatchObject({
      companyId: new Types.ObjectId(world.companyId),
      customerId: new Types.ObjectId(world.ids.customerId),
      serviceItemId: new Types.ObjectId(world.ids.serviceItemId),
      status: 'scheduled',
      source: 'instagram',
      notes: 'shy',
      start: at(0),
      end: at(90),
    });
    expect(Number(row?.updatedAt)).toBeGreaterThanOrEqual(before);
    expect(row?.createdAt).toEqual(row?.updatedAt);
  });

  test.each(['customerId', 'petId', 'serviceId', 'serviceItemId', 'staffId'] as const)(
    'refuses a %s that does not exist or belongs to another company',
    async (reference) => {
      const world = await startBookings();
      const foreign = await world.insert(
        {
          customerId: 'customers',
          petId: 'pets',
          serviceId: 'services',
          serviceItemId: 'serviceitems',
          staffId: 'staff',
        }[reference],
        {
          companyId: new Types.ObjectId(),
          customerId: new Types.ObjectId(world.ids.customerId),
          serviceId: new Types.ObjectId(world.ids.serviceId),
        },
      );
      for (const id of [NOBODY, foreign]) {
        expect(await world.service.book(world.request(0, 60, { [reference]: id }))).toEqual({
          outcome: 'unknown-reference',
          reference,
        });
      }
      expect(await world.appointments.countDocuments()).toBe(0);
    },
  );

  test("refuses another customer's pet", async () => {
    const world = await startBookings();
    const petId = await world.insert(COLLECTIONS.pets, { customerId: new Types.ObjectId() });
    expect(await world.service.book(world.request(0, 60, { petId }))).toMatchObject({ reference: 'petId' });
  });

  test.each([
    ['the same time', 60, 60],
    ['its beginning', 30, 60],
    ['its end', 90, 60],
    ['all of it', 30, 120],
    ['a part of it', 70, 10],
  ])(
    'refuses an overlap in %s, and returns the time of the other appointment',
    async (_, minute, duration) => {
      const world = await startBookings();
      const first = done(await world.service.book(world.request(60, 60)));
      expect(await world.service.book(world.request(minute, duration))).toEqual({
        outcome: 'busy',
        from: at(60),
        to: at(120),
        own: first.appointment.appointmentId,
        of: 'staff',
      });
      expect(await world.appointments.countDocuments()).toBe(1);
    },
  );

  test('allows adjacent times, times of another groomer and times of canceled appointments', async () => {
    const world = await startBookings();
    const first = done(await world.service.book(world.request(60, 60)));
    done(await world.service.book(world.request(0, 60)));
    done(await world.service.book(world.request(120, 60)));
    const other = { staffId: world.otherStaffId, petId: await world.otherPet() };
    done(await world.service.book(world.request(60, 60, other)));
    done(await world.service.cancel(first.appointment.appointmentId));
    done(await world.service.book(world.request(60, 60)));
  });

  test.each(['canceled', 'no_show'])(
    'takes the time of an appointment that another application set to %s, without removing its slots',
    async (status) => {
      const world = await startBookings();
      const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
      const _id = new Types.ObjectId(appointmentId);
      await world.appointments.updateOne({ _id }, { $set: { status } });
      const { appointment } = done(await world.service.book(world.request(30)));
      expect(await world.service.book(world.request(30))).toMatchObject({ outcome: 'busy' });
      const { start } = world.request(120);
      const isNoShow = status === 'no_show';
      expect(await world.service.reschedule({ appointmentId, start })).toMatchObject(
        isNoShow ? { outcome: 'refused', reason: 'no-show' } : { outcome: 'is-canceled' },
      );
      expect(await world.service.cancel(appointmentId)).toMatchObject(
        isNoShow ? { outcome: 'refused', reason: 'no-show' } : { outcome: 'done', changed: false },
      );
      expect(await world.read(appointmentId)).toMatchObject({ status, start: at(0) });
      expect(await world.read(appointment.appointmentId)).toMatchObject({ status: 'scheduled' });
    },
  );

  test('refuses a second appointment of a pet at the same time, with any groomer', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0, 60))).appointment;
    const other = { staffId: world.otherStaffId };
    expect(await world.service.book(world.request(30, 60, other))).toEqual({
      outcome: 'busy',
      of: 'pet',
      from: at(0),
      to: at(60),
      own: appointmentId,
    });
    const later = done(await world.service.book(world.request(60, 60, other))).appointment;
    expect(
      await world.service.reschedule({ appointmentId: later.appointmentId, start: at(30) }),
    ).toMatchObject({ outcome: 'busy', of: 'pet' });
  });

  test('appointments without a pet may be at the same time, with different groomers', async () => {
    const world = await startBookings();
    await world.service.prepare();
    for (const staffId of [world.ids.staffId, world.otherStaffId]) {
      const row = { staffId: new Types.ObjectId(staffId), slots: [1000, 1001], status: 'scheduled' };
      await world.insert(COLLECTIONS.appointments, row);
    }
    expect(await world.appointments.countDocuments()).toBe(2);
  });

  test('refuses an overlap with an appointment that has no slots', async () => {
    const world = await startBookings();
    const staffId = new Types.ObjectId(world.ids.staffId);
    const row = { staffId, start: at(3), end: at(63), status: 'scheduled' };
    await world.insert(COLLECTIONS.appointments, row);
    await world.insert(COLLECTIONS.appointments, {
      ...row,
      start: at(200),
      end: at(260),
      status: 'canceled',
    });
    expect(await world.service.book(world.request(60))).toMatchObject({
      outcome: 'busy',
      from: at(3),
      to: at(63),
    });
    done(await world.service.book(world.request(200)));
  });
});

describe('reschedule', () => {
  test('moves the appointment, keeps its duration and groomer, and frees the old time', async () => {
    const world = await startBookings();
    const { appointment } = done(await world.service.book(world.request(0, 90)));
    const { appointmentId } = appointment;
    const before = await world.read(appointmentId);
    const moved = done(await world.service.reschedule({ appointmentId, start: at(300) }));
    expect(moved).toMatchObject({ changed: true, appointment: { start: at(300), end: at(390) } });
    const after = await world.read(appointmentId);
    expect(after).toMatchObject({
      start: at(300),
      end: at(390),
      staffId: before?.staffId,
      createdAt: before?.createdAt,
    });
    expect(Number(after?.updatedAt)).toBeGreaterThan(Number(before?.updatedAt));
    done(await world.service.book(world.request(0, 90)));
    expect(await world.service.book(world.request(330))).toMatchObject({ outcome: 'busy' });
  });

  test('to another groomer frees the time of the first', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    const staffId = world.otherStaffId;
    done(await world.service.reschedule({ appointmentId, start: at(0), staffId, durationMinutes: 30 }));
    expect(await world.read(appointmentId)).toMatchObject({
      staffId: new Types.ObjectId(staffId),
      end: at(30),
    });
    const petId = await world.otherPet();
    done(await world.service.book(world.request(0, 60, { petId })));
    expect(await world.service.book(world.request(0, 60, { staffId, petId }))).toMatchObject({
      outcome: 'busy',
      of: 'staff',
    });
  });

  test('to a time that overlaps its own is allowed', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    expect(done(await world.service.reschedule({ appointmentId, start: at(30) })).changed).toBe(true);
  });

  test('to a taken time is refused and changes nothing', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    done(await world.service.book(world.request(60)));
    const before = await world.read(appointmentId);
    expect(await world.service.reschedule({ appointmentId, start: at(30) })).toMatchObject({
      outcome: 'busy',
      from: at(60),
    });
    expect(await world.read(appointmentId)).toEqual(before);
    expect(await world.service.book(world.request(0))).toMatchObject({ outcome: 'busy' });
  });

  test('to its current time succeeds and writes nothing', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    const before = await world.read(appointmentId);
    expect(done(await world.service.reschedule({ appointmentId, start: at(0) })).changed).toBe(false);
    expect(await world.read(appointmentId)).toEqual(before);
  });

  test('of a canceled appointment is refused', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    done(await world.service.cancel(appointmentId));
    expect(await world.service.reschedule({ appointmentId, start: at(60) })).toMatchObject({
      outcome: 'is-canceled',
    });
    expect(await world.read(appointmentId)).toMatchObject({ status: 'canceled', start: at(0) });
  });

  test('to an unknown groomer is refused', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    expect(await world.service.reschedule({ appointmentId, start: at(60), staffId: NOBODY })).toEqual({
      outcome: 'unknown-reference',
      reference: 'staffId',
    });
  });
});

describe('cancel', () => {
  test('twice succeeds twice and writes once', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    const booked = await world.read(appointmentId);
    expect(done(await world.service.cancel(appointmentId)).changed).toBe(true);
    const canceled = await world.read(appointmentId);
    expect(canceled).toMatchObject({ status: 'canceled', start: at(0), createdAt: booked?.createdAt });
    expect(Number(canceled?.updatedAt)).toBeGreaterThan(Number(booked?.updatedAt));
    expect(done(await world.service.cancel(appointmentId)).changed).toBe(false);
    expect(await world.read(appointmentId)).toEqual(canceled);
  });

  test('twice concurrently writes once', async () => {
    const world = await startBookings();
    const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
    const all = await Promise.all(Array.from({ length: 8 }, () => world.service.cancel(appointmentId)));
    expect(all.filter((result) => done(result).changed)).toHaveLength(1);
  });
});

test("another company's appointment is not found", async () => {
  const world = await startBookings();
  const { appointmentId } = done(await world.service.book(world.request(0))).appointment;
  const stranger = createBookingService({ connection: world.connection, companyId: NOBODY });
  const gone = { outcome: 'unknown-appointment' };
  expect(await stranger.cancel(appointmentId)).toEqual(gone);
  expect(await stranger.reschedule({ appointmentId, start: at(60) })).toEqual(gone);
  expect(await world.read(appointmentId)).toMatchObject({ status: 'scheduled', start: at(0) });
});
