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
  isSamePlace,
  keptValues,
  NOT_CANCELED,
  placeAfter,
  placeAt,
  readRow,
  ROW_FIELDS,
  toBooked,
  writtenAt,
  type AppointmentRow,
  type Place,
} from './appointment-row.ts';
import { createFindMissingReference } from './find-missing-reference.ts';
import { createBookingIndexes, findOverlap } from './find-overlap.ts';
import { describeServerRefusal, isTakenSlot } from './server-refusal.ts';

interface Deps {
  connection: Connection;
  /** The company whose customers this bot serves: nothing of another one is found or written. */
  companyId: string;
  /** Stands in the appointment's `source`. */
  source?: string;
  now?: () => Date;
}

const LIMITS = { maxTimeMS: 2_000, enableUtf8Validation: false };
/** Reads again after writes by others, at most so often. */
const MAX_TRIES = 10;

/**
 * The bot's bookings in MongoDB. What keeps two bookings apart is the unique index on (staffId, slots): one insert or
 * update either takes all its slots or fails, on a standalone server too, with no lock that a dead process could keep
 * (docs/decisions/0100-no-overlapping-bookings.md). The look-up before it is for the words, and for appointments that others wrote without slots.
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

  /** Without the index two bookings could overlap: so nothing is written before it is there. */
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
    place: Place,
    { appointmentId, petId }: Pick<AppointmentRow, 'appointmentId' | 'petId'>,
  ): Promise<BookingOutcome | undefined> {
    const other = await findOverlap(appointments, place, appointmentId, LIMITS);
    if (other === undefined) return undefined;
    const own = petId !== null && other.petId === petId ? other.appointmentId : undefined;
    return { outcome: 'busy', from: other.start, to: other.end, own };
  }

  /** Writes an appointment to its place. Undefined: it is written. */
  async function take(
    place: Place,
    appointment: Pick<AppointmentRow, 'appointmentId' | 'petId'>,
    write: () => Promise<unknown>,
  ): Promise<BookingOutcome | undefined> {
    const busy = await overlapWith(place, appointment);
    if (busy !== undefined) return busy;
    try {
      await write();
      return undefined;
    } catch (error) {
      if (!isTakenSlot(error)) throw error;
      // Somebody took it between look and write; already gone again is still a no.
      const { start: from, end: to } = place;
      return (await overlapWith(place, appointment)) ?? { outcome: 'busy', from, to };
    }
  }

  async function book(request: BookRequest): Promise<BookingOutcome> {
    await ensureIndexes();
    const reference = await findMissingReference(request);
    if (reference !== undefined) return { outcome: 'unknown-reference', reference };

    const { start, durationMinutes, serviceItemId, notes } = request;
    const place = placeAt(request.staffId.toLowerCase(), start, durationMinutes * 60_000);
    if (typeof place === 'string') return { outcome: 'refused', reason: place };
    const at = now();
    const document = {
      _id: new Types.ObjectId(),
      companyId: company,
      customerId: new Types.ObjectId(request.customerId),
      petId: new Types.ObjectId(request.petId),
      serviceId: new Types.ObjectId(request.serviceId),
      ...(serviceItemId === undefined ? {} : { serviceItemId: new Types.ObjectId(serviceItemId) }),
      ...storedPlace(place),
      status: 'scheduled',
      source,
      notes: notes ?? '',
      createdAt: at,
      updatedAt: at,
    };
    const row = readRow(document);
    const busy = await take(place, row, () => insertOnce(document));
    return busy ?? { outcome: 'done', appointment: toBooked(row), changed: true };
  }

  /** A lost connection leaves open whether it was saved; its id tells. */
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
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await find(request.appointmentId);
      if (current === undefined) return { outcome: 'unknown-appointment' };
      if (current.isCanceled) return { outcome: 'is-canceled', appointment: toBooked(current) };
      const place = placeAfter(current, request);
      if (typeof place === 'string') return { outcome: 'refused', reason: place };
      if (isSamePlace(current, place))
        return { outcome: 'done', appointment: toBooked(current), changed: false };

      let isWritten = false as boolean;
      const busy = await take(place, current, async () => {
        const set = { ...storedPlace(place), updatedAt: writtenAt(now(), current.updatedAt) };
        isWritten = await update(current, keptValues(current, request), { $set: set });
      });
      if (busy !== undefined) return busy;
      if (isWritten)
        return { outcome: 'done', appointment: toBooked({ ...current, ...place }), changed: true };
    }
    return { outcome: 'refused', reason: 'changed-by-others' };
  }

  async function cancel(appointmentId: string): Promise<BookingOutcome> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
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

  /** Resolves to false if the appointment was canceled, removed or changed in a value of `condition` in between. */
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
    book: (request) => refuseIfServerRefuses(book(request)),
    reschedule: (request) => refuseIfServerRefuses(reschedule(request)),
    cancel: (appointmentId) => refuseIfServerRefuses(cancel(appointmentId)),
  };
}

function storedPlace({ staffId, ...place }: Place) {
  return { staffId: new Types.ObjectId(staffId), ...place };
}

/** A write that MongoDB refuses, because of a validator or a unique index for example, is an answer, not an outage. */
async function refuseIfServerRefuses(outcome: Promise<BookingOutcome>): Promise<BookingOutcome> {
  try {
    return await outcome;
  } catch (error) {
    const cause = describeServerRefusal(error);
    if (cause === undefined) throw error;
    return { outcome: 'refused', reason: 'store-refused', cause };
  }
}
