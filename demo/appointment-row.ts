import { Types } from 'mongoose';
import type { BookedAppointment, RescheduleRequest } from '@appointment-emissions/bot';
import { busySlots } from './busy-slots.ts';

/** An appointment as the bot writes it. */
export interface AppointmentRow {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  customerId: Types.ObjectId;
  petId: Types.ObjectId;
  serviceId: Types.ObjectId;
  serviceItemId?: Types.ObjectId;
  staffId: Types.ObjectId;
  start: Date;
  end: Date;
  status: string;
  source: string;
  notes: string;
  createdAt: Date;
  updatedAt: Date;
  /** What its staff member is busy with: gone once it is canceled. */
  slots?: number[];
}

/** What an appointment takes of its staff member's time. */
export type Place = Pick<AppointmentRow, '_id' | 'petId' | 'staffId' | 'start' | 'end'> & { slots: number[] };

/** The place that is asked for; what is not asked for stays. */
export function moved(
  current: AppointmentRow,
  { start, durationMinutes, staffId }: RescheduleRequest,
): Place {
  const lengthMs =
    durationMinutes === undefined ? Number(current.end) - Number(current.start) : durationMinutes * 60_000;
  const end = new Date(start.getTime() + lengthMs);
  const { _id, petId } = current;
  const staff = staffId === undefined ? current.staffId : new Types.ObjectId(staffId);
  return { _id, petId, staffId: staff, start, end, slots: busySlots(start, end) };
}

export function isSamePlace(current: AppointmentRow, { staffId, start, end }: Place): boolean {
  return (
    Number(current.start) === Number(start) &&
    Number(current.end) === Number(end) &&
    current.staffId.equals(staffId)
  );
}

export function collide({ start, end, slots }: Place, other: AppointmentRow): boolean {
  return (
    (other.start < end && other.end > start) || (other.slots?.some((slot) => slots.includes(slot)) ?? false)
  );
}

export function toBooked({
  _id,
  staffId,
  start,
  end,
}: Pick<AppointmentRow, '_id' | 'staffId' | 'start' | 'end'>): BookedAppointment {
  return { appointmentId: _id.toHexString(), staffId: staffId.toHexString(), start, end };
}
