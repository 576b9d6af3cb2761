import { Types, type Collection, type Connection } from 'mongoose';
import {
  type BookingOutcome,
  type BookingService,
  type BookRequest,
  type RescheduleRequest,
  SLOT_MINUTES,
} from '@appointment-emissions/bot';
import { COLLECTIONS } from '../src/population/collections.ts';
import { collide, isSamePlace, moved, toBooked, type AppointmentRow, type Place } from './appointment-row.ts';
import { busySlots } from './busy-slots.ts';
import { createFindMissingReference } from './find-missing-reference.ts';

interface Deps {
  connection: Connection;
  /** The company whose customers this bot serves: nothing of another one is found or written. */
  companyId: string;
  /** Stands in the appointment's `source`. */
  source?: string;
  now?: () => Date;
}

const OPTIONS = { maxTimeMS: 2_000 };
const DUPLICATE_KEY = 11_000;
/** No appointment is longer, so no earlier one can reach into a later day. */
const LONGEST_MS = 24 * 3_600_000;

/**
 * The bot's bookings in MongoDB. What keeps two bookings apart is the unique index on (staffId, slots): one insert or
 * update either takes all its slots or fails, on a standalone server too, with no lock that a dead process could keep
 * (docs/decisions/0100). The look-up before it is for the words, and for appointments that others wrote without slots.
 */
export function createBookingService({
  connection,
  companyId,
  source = 'instagram',
  now,
}: Deps): BookingService {
  const company = new Types.ObjectId(companyId);
  const appointments = connection.collection<AppointmentRow>(COLLECTIONS.appointments);
  const findMissingReference = createFindMissingReference(connection, company);
  let indexes: Promise<unknown> | undefined;

  /** Without the index two bookings could overlap: so nothing is written before it is there. */
  async function ensureIndexes(): Promise<void> {
    indexes ??= makeIndexes(appointments);
    try {
      await indexes;
    } catch (error) {
      indexes = undefined;
      throw error;
    }
  }

  /** Later than the last write, so that whoever compares `updatedAt` sees each. */
  function stamp(last?: Date): Date {
    return new Date(Math.max((now?.() ?? new Date()).getTime(), (last?.getTime() ?? 0) + 1));
  }

  function find(appointmentId: string): Promise<AppointmentRow | null> {
    return appointments.findOne({ _id: new Types.ObjectId(appointmentId), companyId: company }, OPTIONS);
  }

  async function busyWith(wanted: Place): Promise<BookingOutcome | undefined> {
    const { _id, staffId, start, end } = wanted;
    const near = await appointments
      .find(
        {
          _id: { $ne: _id },
          staffId,
          status: { $ne: 'canceled' },
          start: {
            $gt: new Date(start.getTime() - LONGEST_MS),
            $lt: new Date(end.getTime() + SLOT_MINUTES * 60_000),
          },
        },
        OPTIONS,
      )
      .toArray();
    const blocking = near.find((other) => collide(wanted, other));
    if (blocking === undefined) return undefined;
    const own =
      String(blocking.petId) === wanted.petId.toHexString() ? blocking._id.toHexString() : undefined;
    return { outcome: 'busy', from: blocking.start, to: blocking.end, own };
  }

  /** Writes, and tells a taken slot from a failure. Undefined: it is written. */
  async function take(wanted: Place, write: () => Promise<unknown>): Promise<BookingOutcome | undefined> {
    const busy = await busyWith(wanted);
    if (busy !== undefined) return busy;
    try {
      await write();
      return undefined;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      // Somebody took it between look and write; already gone again is still a no.
      return (await busyWith(wanted)) ?? { outcome: 'busy', from: wanted.start, to: wanted.end };
    }
  }

  async function book(request: BookRequest): Promise<BookingOutcome> {
    await ensureIndexes();
    const reference = await findMissingReference(request);
    if (reference !== undefined) return { outcome: 'unknown-reference', reference };

    const { start, durationMinutes, serviceItemId, notes } = request;
    const end = new Date(start.getTime() + durationMinutes * 60_000);
    const at = stamp();
    const row: AppointmentRow & Place = {
      _id: new Types.ObjectId(),
      companyId: company,
      customerId: new Types.ObjectId(request.customerId),
      petId: new Types.ObjectId(request.petId),
      serviceId: new Types.ObjectId(request.serviceId),
      ...(serviceItemId === undefined ? {} : { serviceItemId: new Types.ObjectId(serviceItemId) }),
      staffId: new Types.ObjectId(request.staffId),
      start,
      end,
      status: 'scheduled',
      source,
      notes: notes ?? '',
      createdAt: at,
      updatedAt: at,
      slots: busySlots(start, end),
    };
    const busy = await take(row, () => insertOnce(row));
    return busy ?? { outcome: 'done', appointment: toBooked(row), changed: true };
  }

  /** A lost connection leaves open whether it was saved; its id tells. */
  async function insertOnce(row: AppointmentRow): Promise<void> {
    try {
      await appointments.insertOne(row);
    } catch (error) {
      if (isDuplicateKey(error) || (await find(row._id.toHexString())) === null) throw error;
    }
  }

  async function reschedule(request: RescheduleRequest): Promise<BookingOutcome> {
    await ensureIndexes();
    const reference = await findMissingReference({ staffId: request.staffId });
    if (reference !== undefined) return { outcome: 'unknown-reference', reference };
    for (;;) {
      const current = await find(request.appointmentId);
      if (current === null) return { outcome: 'unknown-appointment' };
      if (current.status === 'canceled') return { outcome: 'is-canceled', appointment: toBooked(current) };
      const to = moved(current, request);
      if (isSamePlace(current, to))
        return { outcome: 'done', appointment: toBooked(current), changed: false };

      let written = 0;
      const busy = await take(to, async () => {
        // What was read decides what is kept: somebody else's change in between means to look again.
        const { _id, staffId: staff, start, end } = current;
        const update = { staffId: to.staffId, start: to.start, end: to.end, slots: to.slots };
        ({ matchedCount: written } = await appointments.updateOne(
          { _id, companyId: company, staffId: staff, start, end, status: { $ne: 'canceled' } },
          { $set: { ...update, updatedAt: stamp(current.updatedAt) } },
        ));
      });
      if (busy !== undefined) return busy;
      if (written > 0)
        return { outcome: 'done', appointment: toBooked({ ...current, ...to }), changed: true };
    }
  }

  async function cancel(appointmentId: string): Promise<BookingOutcome> {
    const current = await find(appointmentId);
    if (current === null) return { outcome: 'unknown-appointment' };
    const { modifiedCount } = await appointments.updateOne(
      { _id: current._id, companyId: company, status: { $ne: 'canceled' } },
      { $set: { status: 'canceled', updatedAt: stamp(current.updatedAt) }, $unset: { slots: '' } },
    );
    return { outcome: 'done', appointment: toBooked(current), changed: modifiedCount > 0 };
  }

  return { book, reschedule, cancel };
}

async function makeIndexes(appointments: Collection<AppointmentRow>): Promise<void> {
  const taken = { unique: true, partialFilterExpression: { slots: { $exists: true } } };
  await appointments.createIndex({ staffId: 1, slots: 1 }, { name: 'staff_slots', ...taken }, {});
  await appointments.createIndex({ staffId: 1, start: 1 }, { name: 'staff_start' }, {});
}

function isDuplicateKey(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === DUPLICATE_KEY;
}
