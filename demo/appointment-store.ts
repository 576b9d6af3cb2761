import { Types, type Collection, type mongo } from 'mongoose';
import type { BookingOutcome } from '@appointment-emissions/bot';
import type { Id } from '@appointment-emissions/contracts';
import { matchId } from '../src/population/stored-values.ts';
import { NOT_FREED, readRow, ROW_FIELDS, type AppointmentRow, type Reservation } from './appointment-row.ts';
import { createBookingIndexes, findOverlap, takers } from './find-overlap.ts';
import { FREED_STATUSES } from './models.ts';
import { isTakenSlot } from './server-refusal.ts';

export type AppointmentStore = ReturnType<typeof createAppointmentStore>;

const LIMITS = { maxTimeMS: 2_000, enableUtf8Validation: false };

/** Reads and writes the appointments of one company. */
export function createAppointmentStore(appointments: Collection, companyId: Id) {
  let indexes: Promise<unknown> | undefined;

  async function find(appointmentId: string): Promise<AppointmentRow | undefined> {
    const filter = { _id: new Types.ObjectId(appointmentId) };
    const document = await appointments.findOne(filter, { ...LIMITS, projection: ROW_FIELDS });
    const row = document === null ? undefined : readRow(document);
    return row?.companyId === companyId ? row : undefined;
  }

  return {
    find,

    /** Must succeed before the first write: without the index two bookings could overlap. */
    async ensureIndexes(): Promise<void> {
      indexes ??= createBookingIndexes(appointments);
      try {
        await indexes;
      } catch (error) {
        indexes = undefined;
        throw error;
      }
    },

    reserve: createReserve(appointments),

    /** After a lost connection it is unknown whether the document was saved. Then a query by its id decides. */
    async insertOnce(document: mongo.Document & { _id: Types.ObjectId }): Promise<void> {
      try {
        await appointments.insertOne(document);
      } catch (error) {
        if (isTakenSlot(error) || (await find(document._id.toHexString())) === undefined) throw error;
      }
    },

    /** Resolves to false if the appointment was canceled, deleted or became a no-show, or no longer matches `condition`. */
    async update(
      { appointmentId }: AppointmentRow,
      condition: mongo.Filter<mongo.Document>,
      change: mongo.UpdateFilter<mongo.Document>,
    ): Promise<boolean> {
      const own = { _id: new Types.ObjectId(appointmentId), companyId: matchId(Types.ObjectId, companyId) };
      const filter = { ...own, ...NOT_FREED, ...condition };
      const { matchedCount } = await appointments.updateOne(filter, change);
      return matchedCount > 0;
    },
  };
}

/**
 * Runs a write unless the time of its reservation is taken. Resolves to undefined if it was written. The query before the write
 * finds the other appointment for the message, and appointments without slots.
 */
function createReserve(appointments: Collection) {
  return async function reserve(
    reservation: Reservation,
    appointment: Pick<AppointmentRow, 'appointmentId' | 'petId'>,
    write: () => Promise<unknown>,
  ): Promise<BookingOutcome | undefined> {
    const busy = await overlapWith(appointments, reservation, appointment);
    if (busy !== undefined) return busy;
    try {
      await write();
      return undefined;
    } catch (error) {
      if (!isTakenSlot(error)) throw error;
      // Another booking took the time between the query and the write, or a freed appointment still has its slots.
      const other = await overlapWith(appointments, reservation, appointment);
      if (other !== undefined) return other;
      if (await releaseFreedSlots(appointments, reservation, appointment.petId))
        return reserve(reservation, appointment, write);
      // The other booking is gone again, but the write has failed.
      const { start: from, end: to } = reservation;
      return { outcome: 'busy', from, to };
    }
  };
}

async function overlapWith(
  appointments: Collection,
  reservation: Reservation,
  { appointmentId, petId }: Pick<AppointmentRow, 'appointmentId' | 'petId'>,
): Promise<BookingOutcome | undefined> {
  const other = await findOverlap(appointments, { ...reservation, petId }, appointmentId, LIMITS);
  if (other === undefined) return undefined;
  const own = petId !== null && other.petId === petId ? other.appointmentId : undefined;
  const of = own !== undefined && other.staffId !== reservation.staffId ? 'pet' : 'staff';
  return { outcome: 'busy', from: other.start, to: other.end, own, of };
}

/**
 * Removes the slots of the staff member's and the pet's canceled appointments and no-shows, as far as they overlap a reservation. The booking
 * service removes slots when it cancels, but other applications may only set the status. Resolves to true if there were any.
 */
async function releaseFreedSlots(
  appointments: Collection,
  { staffId, slots }: Reservation,
  petId: Id | null,
): Promise<boolean> {
  const { modifiedCount } = await appointments.updateMany(
    {
      slots: { $in: slots },
      $and: [
        { $or: takers(staffId, petId) },
        { status: { $in: FREED_STATUSES } },
        { status: { $not: { $type: 'array' } } },
      ],
    },
    { $unset: { slots: '' } },
  );
  return modifiedCount > 0;
}
