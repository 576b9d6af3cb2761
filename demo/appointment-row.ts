import type { mongo } from 'mongoose';
import type { BookedAppointment, RefusalReason, RescheduleRequest } from '@appointment-emissions/bot';
import type { Id } from '@appointment-emissions/contracts';
import { matchId } from '../src/population/match-id.ts';
import { date, id, MAX_INSTANT_MS, type RawDocument } from '../src/population/to-snapshot.ts';
import { busySlots } from './busy-slots.ts';

/** What the booking service reads of an appointment. Anybody may have written it: a field of a wrong type is `null`. */
export interface AppointmentRow {
  appointmentId: Id;
  companyId: Id | null;
  petId: Id | null;
  staffId: Id | null;
  start: Date | null;
  end: Date | null;
  isCanceled: boolean;
  updatedAt: Date | null;
}

export const ROW_FIELDS = {
  companyId: 1,
  petId: 1,
  staffId: 1,
  start: 1,
  end: 1,
  status: 1,
  updatedAt: 1,
} as const;

/** An appointment that still takes its staff member's time. `$ne` alone takes an array that contains the word for it. */
export const NOT_CANCELED = { $or: [{ status: { $ne: 'canceled' } }, { status: { $type: 'array' } }] };

/** What an appointment takes of its staff member's time. */
export interface Place {
  staffId: Id;
  start: Date;
  end: Date;
  slots: number[];
}

/** A month. A longer time is a mistake, and each of its slots is an entry in the index. */
const MAX_LENGTH_MS = 31 * 24 * 3_600_000;

export function readRow(document: RawDocument): AppointmentRow {
  const { _id, companyId, petId, staffId, start, end, status, updatedAt } = document;
  return {
    appointmentId: id(_id) ?? '',
    companyId: id(companyId),
    petId: id(petId),
    staffId: id(staffId),
    start: date(start),
    end: date(end),
    isCanceled: status === 'canceled',
    updatedAt: date(updatedAt),
  };
}

export function placeAt(staffId: Id, start: Date, lengthMs: number): Place | RefusalReason {
  if (!(lengthMs > 0 && lengthMs <= MAX_LENGTH_MS)) return 'unknown-length';
  const end = date(new Date(start.getTime() + lengthMs));
  if (date(start) === null || end === null) return 'time-out-of-range';
  return { staffId, start, end, slots: busySlots(start, end) };
}

/** The requested place. What the request leaves out is kept, if the stored appointment has a valid value for it. */
export function placeAfter(current: AppointmentRow, request: RescheduleRequest): Place | RefusalReason {
  const { start, durationMinutes } = request;
  const staffId = id(request.staffId) ?? current.staffId;
  if (staffId === null) return 'unknown-staff';
  return placeAt(
    staffId,
    start,
    durationMinutes === undefined ? lengthOf(current) : durationMinutes * 60_000,
  );
}

function lengthOf({ start, end }: AppointmentRow): number {
  return start === null || end === null ? NaN : end.getTime() - start.getTime();
}

/** Conditions on the stored values that `placeAfter` kept: a write by others in between makes the update match nothing. */
export function keptValues(
  { staffId, start, end }: AppointmentRow,
  request: RescheduleRequest,
): mongo.Filter<mongo.Document> {
  return {
    ...(request.staffId === undefined && staffId !== null && { staffId: matchId(staffId) }),
    ...(request.durationMinutes === undefined && { start: { $eq: start }, end: { $eq: end } }),
  };
}

export function isSamePlace(current: AppointmentRow, { staffId, start, end }: Place): boolean {
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
 * The time of a write: later than the last one, so that a comparison of `updatedAt` sees each write. A last write far in
 * the future comes from a broken clock and is not followed.
 */
export function writtenAt(now: Date, last: Date | null): Date {
  const next = (last?.getTime() ?? 0) + 1;
  const isFollowed = next <= Math.min(now.getTime() + MAX_AHEAD_MS, MAX_INSTANT_MS);
  return new Date(isFollowed ? Math.max(now.getTime(), next) : now.getTime());
}
