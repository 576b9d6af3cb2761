import { Types, type Collection, type mongo } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import { matchId, MAX_INSTANT_MS } from '../src/population/stored-values.ts';
import {
  busySlots,
  NOT_FREED,
  readRow,
  ROW_FIELDS,
  type AppointmentRow,
  type Reservation,
} from './appointment-row.ts';
import { isTakenSlot } from './server-refusal.ts';

/** Conditions on the appointments of a staff member, and on those of a pet if it is known. */
export function takers(staffId: Id, petId: Id | null): mongo.Filter<mongo.Document>[] {
  const ofStaff = { staffId: matchId(Types.ObjectId, staffId) };
  return petId === null ? [ofStaff] : [ofStaff, { petId: matchId(Types.ObjectId, petId) }];
}

/**
 * Finds the first appointment of the staff member or the pet, other than `except`, that overlaps a reservation. Each condition has an
 * index: `staff_end` skips all past appointments, so the query stays fast for a staff member with a long history.
 */
export async function findOverlap(
  appointments: Collection,
  { staffId, petId, start, end, slots }: Reservation & { petId: Id | null },
  except: Id,
  limits: mongo.FindOptions,
): Promise<AppointmentRow | undefined> {
  const overlapping = takers(staffId, petId).flatMap((taker) => {
    const taken = { ...taker, _id: { $ne: new Types.ObjectId(except) }, ...NOT_FREED };
    return [
      { ...taken, start: { $lt: end }, end: { $gt: start } },
      // The appointment may have no valid end.
      { ...taken, start: { $gte: start, $lt: end } },
      // Slots cover full five minutes even if start and end do not.
      { ...taken, slots: { $in: slots } },
    ];
  });
  const [first] = await appointments
    .find({ $or: overlapping }, { ...limits, projection: ROW_FIELDS, sort: { start: 1 }, limit: 1 })
    .toArray();
  return first && readRow(first);
}

/** The slots of the years 1970 to 9999. */
const VALID_SLOTS = { $gte: 1, $lte: busySlots(new Date(MAX_INSTANT_MS), new Date(MAX_INSTANT_MS))[0] };

/**
 * Creates the indexes. The unique indexes `staff_slot_numbers` and `pet_slot_numbers` prevent overlapping bookings. They cover only
 * documents with valid slot numbers, so that documents with malformed `slots` cannot prevent their creation.
 */
export async function createBookingIndexes(appointments: Collection): Promise<void> {
  const withSlots = { unique: true, partialFilterExpression: { slots: VALID_SLOTS } };
  await appointments.createIndex({ staffId: 1, slots: 1 }, { name: 'staff_slot_numbers', ...withSlots }, {});
  await appointments.createIndex({ staffId: 1, start: 1 }, { name: 'staff_start' }, {});
  await appointments.createIndex({ staffId: 1, end: 1 }, { name: 'staff_end' }, {});
  await appointments.createIndex({ petId: 1, end: 1 }, { name: 'pet_end' }, {});
  try {
    // Without the condition on the pet, two appointments without one would count as the same pet's.
    const withPet = { slots: VALID_SLOTS, petId: { $type: 'objectId' } };
    const options = { name: 'pet_slot_numbers', unique: true, partialFilterExpression: withPet };
    await appointments.createIndex({ petId: 1, slots: 1 }, options, {});
  } catch (error) {
    // Bookings from before this index may overlap. Then only the query before each write finds overlaps of a pet.
    if (!isTakenSlot(error)) throw error;
  }
}
