import { Types, type Connection } from 'mongoose';
import type {
  BookingOutcome,
  BookRequest,
  CustomerBookingService,
  RescheduleRequest,
} from '@appointment-emissions/bot';
import { COLLECTIONS } from './models.ts';
import {
  isSameReservation,
  keptValues,
  readRow,
  reservationAfter,
  reservationAt,
  toBooked,
  writtenAt,
  type Reservation,
} from './appointment-row.ts';
import { createAppointmentStore, type AppointmentStore } from './appointment-store.ts';
import { createFindMissingReference } from './find-missing-reference.ts';
import { describeServerRefusal } from './server-refusal.ts';

interface Deps {
  connection: Connection;
  /** The company of the bot. Documents of other companies are neither found nor written. */
  companyId: string;
  /** Stored in the appointment's `source`. */
  source?: string;
  now?: () => Date;
}

export interface MongoBookingService extends CustomerBookingService {
  /** Creates the indexes now. Otherwise the first booking does so, which takes it half a second longer. */
  prepare(): Promise<void>;
}

interface Parts {
  company: Types.ObjectId;
  source: string;
  now: () => Date;
  store: AppointmentStore;
  findMissingReference: ReturnType<typeof createFindMissingReference>;
}

/** Maximum number of attempts if the appointment changes concurrently. */
const MAX_ATTEMPTS = 10;

/**
 * A booking service on MongoDB. Unique indexes on (staffId, slots) and (petId, slots) prevent overlaps: an insert or update either
 * takes all its slots or fails. This works on a standalone server too, and needs no lock that a dead process could keep.
 */
export function createBookingService({
  connection,
  companyId,
  source = 'instagram',
  now = () => new Date(),
}: Deps): MongoBookingService {
  const company = new Types.ObjectId(companyId);
  const parts = {
    company,
    source,
    now,
    store: createAppointmentStore(connection.collection(COLLECTIONS.appointments), company.toHexString()),
    findMissingReference: createFindMissingReference(connection, company.toHexString()),
  };
  const [book, reschedule, cancel] = [createBook(parts), createReschedule(parts), createCancel(parts)];
  return {
    prepare: () => parts.store.ensureIndexes(),
    book: (request) => withRejections(book(request)),
    reschedule: (request) => withRejections(reschedule(request)),
    cancel: (appointmentId) => withRejections(cancel(appointmentId)),
    customerOf: async (appointmentId) => (await parts.store.find(appointmentId))?.customerId ?? null,
  };
}

function createBook({ company, source, now, store, findMissingReference }: Parts) {
  return async (request: BookRequest): Promise<BookingOutcome> => {
    await store.ensureIndexes();
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
    const busy = await store.reserve(reservation, row, () => store.insertOnce(document));
    return busy ?? { outcome: 'done', appointment: toBooked(row), changed: true };
  };
}

function createReschedule({ now, store, findMissingReference }: Parts) {
  /** @returns undefined if the appointment changed concurrently */
  async function attempt(request: RescheduleRequest): Promise<BookingOutcome | undefined> {
    const current = await store.find(request.appointmentId);
    if (current === undefined) return { outcome: 'unknown-appointment' };
    if (current.isNoShow) return { outcome: 'refused', reason: 'no-show' };
    if (current.isFreed) return { outcome: 'is-canceled', appointment: toBooked(current) };
    const reservation = reservationAfter(current, request);
    if (typeof reservation === 'string') return { outcome: 'refused', reason: reservation };
    if (isSameReservation(current, reservation))
      return { outcome: 'done', appointment: toBooked(current), changed: false };

    let isWritten = false as boolean;
    const busy = await store.reserve(reservation, current, async () => {
      const set = { ...toStored(reservation), updatedAt: writtenAt(now(), current.updatedAt) };
      isWritten = await store.update(current, keptValues(current, request), { $set: set });
    });
    if (busy !== undefined) return busy;
    return isWritten
      ? { outcome: 'done', appointment: toBooked({ ...current, ...reservation }), changed: true }
      : undefined;
  }

  return async (request: RescheduleRequest): Promise<BookingOutcome> => {
    await store.ensureIndexes();
    const reference = await findMissingReference({ staffId: request.staffId });
    if (reference !== undefined) return { outcome: 'unknown-reference', reference };
    return retried(() => attempt(request));
  };
}

function createCancel({ now, store }: Parts) {
  /** @returns undefined if the appointment changed concurrently */
  async function attempt(appointmentId: string): Promise<BookingOutcome | undefined> {
    const current = await store.find(appointmentId);
    if (current === undefined) return { outcome: 'unknown-appointment' };
    if (current.isNoShow) return { outcome: 'refused', reason: 'no-show' };
    const appointment = toBooked(current);
    if (current.isFreed) return { outcome: 'done', appointment, changed: false };
    const set = { status: 'canceled', updatedAt: writtenAt(now(), current.updatedAt) };
    const isWritten = await store.update(current, {}, { $set: set, $unset: { slots: '' } });
    return isWritten ? { outcome: 'done', appointment, changed: true } : undefined;
  }

  return (appointmentId: string): Promise<BookingOutcome> => retried(() => attempt(appointmentId));
}

async function retried(attempt: () => Promise<BookingOutcome | undefined>): Promise<BookingOutcome> {
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
    const outcome = await attempt();
    if (outcome !== undefined) return outcome;
  }
  return { outcome: 'refused', reason: 'changed-by-others' };
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
