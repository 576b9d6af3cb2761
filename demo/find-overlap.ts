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

/**
 * Finds the first appointment, other than `except`, that overlaps a reservation. Each condition has an index: `staff_end` skips
 * all past appointments, so the query stays fast for a staff member with a long history.
 */
export async function findOverlap(
  appointments: Collection,
  { staffId, start, end, slots }: Reservation,
  except: Id,
  limits: mongo.FindOptions,
): Promise<AppointmentRow | undefined> {
  const ofStaff = {
    staffId: matchId(Types.ObjectId, staffId),
    _id: { $ne: new Types.ObjectId(except) },
    ...NOT_FREED,
  };
  const [first] = await appointments
    .find(
      {
        $or: [
          { ...ofStaff, start: { $lt: end }, end: { $gt: start } },
          // The appointment may have no valid end.
          { ...ofStaff, start: { $gte: start, $lt: end } },
          // Slots cover full five minutes even if start and end do not.
          { ...ofStaff, slots: { $in: slots } },
        ],
      },
      { ...limits, projection: ROW_FIELDS, sort: { start: 1 }, limit: 1 },
    )
    .toArray();
  return first && readRow(first);
}

/** The slots of the years 1970 to 9999. */
const VALID_SLOTS = { $gte: 1, $lte: busySlots(new Date(MAX_INSTANT_MS), new Date(MAX_INSTANT_MS))[0] };

/**
 * Creates the indexes. The unique index `staff_slot_numbers` prevents overlapping bookings. It covers only documents with valid slot
 * numbers, so that documents with malformed `slots` cannot prevent its creation.
 */
export async function createBookingIndexes(appointments: Collection): Promise<void> {
  const withSlots = { unique: true, partialFilterExpression: { slots: VALID_SLOTS } };
  await appointments.createIndex({ staffId: 1, slots: 1 }, { name: 'staff_slot_numbers', ...withSlots }, {});
  await appointments.createIndex({ staffId: 1, start: 1 }, { name: 'staff_start' }, {});
  await appointments.createIndex({ staffId: 1, end: 1 }, { name: 'staff_end' }, {});
}
