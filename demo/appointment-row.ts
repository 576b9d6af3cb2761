import { type mongo, Types } from 'mongoose';
import {
  type BookedAppointment,
  type RefusalReason,
  type RescheduleRequest,
  SLOT_MINUTES,
} from '@appointment-emissions/bot';
import type { Id } from '@appointment-emissions/contracts';
import { FREED_STATUSES } from './models.ts';
import { date, id, matchId, MAX_INSTANT_MS, type RawDocument } from '../src/population/stored-values.ts';

/** The fields of an appointment that the booking service reads. A field is `null` if its stored value has the wrong type. */
export interface AppointmentRow {
  appointmentId: Id;
  companyId: Id | null;
  customerId: Id | null;
  petId: Id | null;
  staffId: Id | null;
  start: Date | null;
  end: Date | null;
  /** True if it does not take its staff member's time: it was canceled, or the customer did not come. */
  isFreed: boolean;
  isNoShow: boolean;
  updatedAt: Date | null;
}

export const ROW_FIELDS = {
  companyId: 1,
  customerId: 1,
  petId: 1,
  staffId: 1,
  start: 1,
  end: 1,
  status: 1,
  updatedAt: 1,
} as const;

/** Matches appointments that take their staff member's time. `$nin` alone would exclude an array that contains `canceled`. */
export const NOT_FREED = { $or: [{ status: { $nin: FREED_STATUSES } }, { status: { $type: 'array' } }] };

/** The part of a staff member's time that an appointment takes. */
export interface Reservation {
  staffId: Id;
  start: Date;
  end: Date;
  slots: number[];
}

const SLOT_MS = SLOT_MINUTES * 60_000;
/** A month. A longer duration is a mistake, and would add thousands of slots to the index. */
const MAX_LENGTH_MS = 31 * 24 * 3_600_000;

/**
 * Returns the five-minute slots that an appointment takes, numbered from 1970. They are stored in its `slots`, and a unique index on
 * (staffId, slots) makes overlapping appointments impossible. A slot that is partly taken counts as taken.
 */
export function busySlots(start: Date, end: Date): number[] {
  const first = Math.floor(start.getTime() / SLOT_MS);
  const count = Math.max(1, Math.ceil(end.getTime() / SLOT_MS) - first);
  return Array.from({ length: count }, (_, index) => first + index);
}

export function readRow(document: RawDocument): AppointmentRow {
  const { _id, companyId, customerId, petId, staffId, start, end, status, updatedAt } = document;
  return {
    appointmentId: id(_id) ?? '',
    companyId: id(companyId),
    customerId: id(customerId),
    petId: id(petId),
    staffId: id(staffId),
    start: date(start),
    end: date(end),
    isFreed: FREED_STATUSES.includes(status as string),
    isNoShow: status === 'no_show',
    updatedAt: date(updatedAt),
  };
}

export function reservationAt(staffId: Id, start: Date, lengthMs: number): Reservation | RefusalReason {
  if (!(lengthMs > 0 && lengthMs <= MAX_LENGTH_MS)) return 'unknown-length';
  const end = date(new Date(start.getTime() + lengthMs));
  if (date(start) === null || end === null) return 'time-out-of-range';
  return { staffId, start, end, slots: busySlots(start, end) };
}

/** The reservation after a reschedule. Values that the request omits are taken from the stored appointment, if they are valid. */
export function reservationAfter(
  current: AppointmentRow,
  request: RescheduleRequest,
): Reservation | RefusalReason {
  const { start, durationMinutes } = request;
  const staffId = id(request.staffId) ?? current.staffId;
  if (staffId === null) return 'unknown-staff';
  return reservationAt(
    staffId,
    start,
    durationMinutes === undefined ? lengthOf(current) : durationMinutes * 60_000,
  );
}

function lengthOf({ start, end }: AppointmentRow): number {
  return start === null || end === null ? NaN : end.getTime() - start.getTime();
}

/** Conditions on the stored values that `reservationAfter` kept. If they have changed in the meantime, the update matches nothing. */
export function keptValues(
  { staffId, start, end }: AppointmentRow,
  request: RescheduleRequest,
): mongo.Filter<mongo.Document> {
  return {
    ...(request.staffId === undefined && staffId !== null && { staffId: matchId(Types.ObjectId, staffId) }),
    ...(request.durationMinutes === undefined && { start: { $eq: start }, end: { $eq: end } }),
  };
}

export function isSameReservation(current: AppointmentRow, { staffId, start, end }: Reservation): boolean {
  return (
    current.start?.getTime() === start.getTime() &&
    current.end?.getTime() === end.getTime() &&
    current.staffId === staffId
  );
}

export function toBooked({ appointmentId, staffId, start, end }: AppointmentRow): BookedAppointment {
  return { appointmentId, staffId, start, end };
}

const MAX_AHEAD_MS = 24 * 3_600_000;

/**
 * Returns the `updatedAt` of a write. It is later than that of the last write, so that each write changes `updatedAt`. A last write
 * far in the future comes from a wrong clock and is ignored.
 */
export function writtenAt(now: Date, last: Date | null): Date {
  const next = (last?.getTime() ?? 0) + 1;
  const isPlausible = next <= Math.min(now.getTime() + MAX_AHEAD_MS, MAX_INSTANT_MS);
  return new Date(isPlausible ? Math.max(now.getTime(), next) : now.getTime());
}
