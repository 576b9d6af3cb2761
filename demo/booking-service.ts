import { Types, type Connection, type mongo } from 'mongoose';
import type {
  BookingOutcome,
  BookingService,
  BookRequest,
  RescheduleRequest,
} from '@appointment-emissions/bot';
import { COLLECTIONS } from '../src/population/collections.ts';
import { matchId } from '../src/population/match-id.ts';
import {
  isSameReservation,
  keptValues,
  NOT_CANCELED,
  readRow,
  reservationAfter,
  reservationAt,
  ROW_FIELDS,
  toBooked,
  writtenAt,
  type AppointmentRow,
  type Reservation,
} from './appointment-row.ts';
import { createFindMissingReference } from './find-missing-reference.ts';
import { createBookingIndexes, findOverlap } from './find-overlap.ts';
import { describeServerRefusal, isTakenSlot } from './server-refusal.ts';

interface Deps {
  connection: Connection;
  /** The company of the bot. Documents of other companies are neither found nor written. */
  companyId: string;
  /** Stored in the appointment's `source`. */
  source?: string;
  now?: () => Date;
}

const LIMITS = { maxTimeMS: 2_000, enableUtf8Validation: false };
/** Maximum number of attempts if the appointment changes concurrently. */
const MAX_ATTEMPTS = 10;

/**
 * A booking service on MongoDB. The unique index on (staffId, slots) prevents overlaps: an insert or update either takes all its
 * slots or fails. This works on a standalone server too, and needs no lock that a dead process could keep (docs/decisions/0100-no-overlapping-bookings.md). The
 * query for overlaps before each write finds the other appointment for the message, and appointments without slots.
 */
export function createBookingService({
  connection,
  companyId,
  source = 'instagram',
  now = () => new Date(),
}: Deps): BookingService {
  const company = new Types.ObjectId(companyId);
  const appointments = connection.collection(COLLECTIONS.appointments);
  const findMissingReference = createFindMissingReference(connection, company.toHexString());
  let indexes: Promise<unknown> | undefined;

  /** Must succeed before the first write: without the index two bookings could overlap. */
  async function ensureIndexes(): Promise<void> {
    indexes ??= createBookingIndexes(appointments);
    try {
      await indexes;
    } catch (error) {
      indexes = undefined;
      throw error;
    }
  }

  async function find(appointmentId: string): Promise<AppointmentRow | undefined> {
    const filter = { _id: new Types.ObjectId(appointmentId) };
    const document = await appointments.findOne(filter, { ...LIMITS, projection: ROW_FIELDS });
    const row = document === null ? undefined : readRow(document);
    return row?.companyId === company.toHexString() ? row : undefined;
  }

  async function overlapWith(
    reservation: Reservation,
    { appointmentId, petId }: Pick<AppointmentRow, 'appointmentId' | 'petId'>,
  ): Promise<BookingOutcome | undefined> {
    const other = await findOverlap(appointments, reservation, appointmentId, LIMITS);
    if (other === undefined) return undefined;
    const own = petId !== null && other.petId === petId ? other.appointmentId : undefined;
    return { outcome: 'busy', from: other.start, to: other.end, own };
  }

  /** Runs `write` unless the time is taken. Resolves to undefined if it was written. */
  async function reserve(
    reservation: Reservation,
    appointment: Pick<AppointmentRow, 'appointmentId' | 'petId'>,
    write: () => Promise<unknown>,
  ): Promise<BookingOutcome | undefined> {
    const busy = await overlapWith(reservation, appointment);
    if (busy !== undefined) return busy;
    try {
      await write();
      return undefined;
    } catch (error) {
      if (!isTakenSlot(error)) throw error;
      // Another booking took the time between the query and the write. It may be gone again, but the write has failed.
      const { start: from, end: to } = reservation;
      return (await overlapWith(reservation, appointment)) ?? { outcome: 'busy', from, to };
    }
  }

  async function book(request: BookRequest): Promise<BookingOutcome> {
    await ensureIndexes();
    const reference = await findMissingReference(request);
    if (reference !== undefined) return { outcome: 'unknown-reference', reference };

    const { start, durationMinutes, serviceItemId, notes } = request;
    const reservation = reservationAt(request.staffId.toLowerCase(), start, durationMinutes * 60_000);
    if (typeof reservation === 'string') return { outcome: 'refused', reason: reservation };
    const at = now();
    const document = {
      _id: new Types.ObjectId(),
      companyId: company,
      customerId: new Types.ObjectId(request.customerId),
      petId: new Types.ObjectId(request.petId),
      serviceId: new Types.ObjectId(request.serviceId),
      ...(serviceItemId === undefined ? {} : { serviceItemId: new Types.ObjectId(serviceItemId) }),
      ...toStored(reservation),
      status: 'scheduled',
      source,
      notes: notes ?? '',
      createdAt: at,
      updatedAt: at,
    };
    const row = readRow(document);
    const busy = await reserve(reservation, row, () => insertOnce(document));
    return busy ?? { outcome: 'done', appointment: toBooked(row), changed: true };
  }

  /** After a lost connection it is unknown whether the document was saved; a query by its id tells. */
  async function insertOnce(document: mongo.Document & { _id: Types.ObjectId }): Promise<void> {
    try {
      await appointments.insertOne(document);
    } catch (error) {
      if (isTakenSlot(error) || (await find(document._id.toHexString())) === undefined) throw error;
    }
  }

  async function reschedule(request: RescheduleRequest): Promise<BookingOutcome> {
    await ensureIndexes();
    const reference = await findMissingReference({ staffId: request.staffId });
    if (reference !== undefined) return { outcome: 'unknown-reference', reference };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await find(request.appointmentId);
      if (current === undefined) return { outcome: 'unknown-appointment' };
      if (current.isCanceled) return { outcome: 'is-canceled', appointment: toBooked(current) };
      const reservation = reservationAfter(current, request);
      if (typeof reservation === 'string') return { outcome: 'refused', reason: reservation };
      if (isSameReservation(current, reservation))
        return { outcome: 'done', appointment: toBooked(current), changed: false };

      let isWritten = false as boolean;
      const busy = await reserve(reservation, current, async () => {
        const set = { ...toStored(reservation), updatedAt: writtenAt(now(), current.updatedAt) };
        isWritten = await update(current, keptValues(current, request), { $set: set });
      });
      if (busy !== undefined) return busy;
      if (isWritten)
        return { outcome: 'done', appointment: toBooked({ ...current, ...reservation }), changed: true };
    }
    return { outcome: 'refused', reason: 'changed-by-others' };
  }

  async function cancel(appointmentId: string): Promise<BookingOutcome> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await find(appointmentId);
      if (current === undefined) return { outcome: 'unknown-appointment' };
      const appointment = toBooked(current);
      if (current.isCanceled) return { outcome: 'done', appointment, changed: false };
      const set = { status: 'canceled', updatedAt: writtenAt(now(), current.updatedAt) };
      if (await update(current, {}, { $set: set, $unset: { slots: '' } }))
        return { outcome: 'done', appointment, changed: true };
    }
    return { outcome: 'refused', reason: 'changed-by-others' };
  }

  /** Resolves to false if the appointment was canceled or deleted, or no longer matches `condition`. */
  async function update(
    { appointmentId }: AppointmentRow,
    condition: mongo.Filter<mongo.Document>,
    change: mongo.UpdateFilter<mongo.Document>,
  ): Promise<boolean> {
    const own = { _id: new Types.ObjectId(appointmentId), companyId: matchId(companyId) };
    const { matchedCount } = await appointments.updateOne({ ...own, ...NOT_CANCELED, ...condition }, change);
    return matchedCount > 0;
  }

  return {
    book: (request) => withRejections(book(request)),
    reschedule: (request) => withRejections(reschedule(request)),
    cancel: (appointmentId) => withRejections(cancel(appointmentId)),
  };
}

function toStored({ staffId, ...time }: Reservation) {
  return { staffId: new Types.ObjectId(staffId), ...time };
}

/** Reports a write that MongoDB rejected, for example because of a validator or a unique index, as an outcome instead of an outage. */
async function withRejections(outcome: Promise<BookingOutcome>): Promise<BookingOutcome> {
  try {
    return await outcome;
  } catch (error) {
    const cause = describeServerRefusal(error);
    if (cause === undefined) throw error;
    return { outcome: 'refused', reason: 'store-refused', cause };
  }
}
