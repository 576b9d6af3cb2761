import { addDays, type Id, instantAt, wallTime } from '@appointment-emissions/contracts';
import type { ChatAppointment, ChatCatalogue } from '../../../demo/chat.ts';

/** An appointment that the customer wants: who, and how long. */
export interface Wish {
  staffId: Id | null;
  petId: Id | null;
  minutes: number;
  /** The appointment to move: its own time counts as free. */
  appointmentId?: Id | undefined;
}

export type Opening = Pick<ChatCatalogue, 'timeZone' | 'opensAt' | 'closesAt'>;

const MAX_DAYS = 60;
const STEP_MINUTES = 30;
const MINUTE_MS = 60_000;

/** Why a time cannot be booked. */
export type Conflict = 'closed' | 'past' | 'staff-busy' | 'pet-busy';

/** Returns why an appointment cannot start at an instant; undefined if it can, as far as is known. */
export function conflictAt(
  start: Date,
  wish: Wish,
  appointments: readonly ChatAppointment[],
  { timeZone, opensAt, closesAt }: Opening,
): Conflict | undefined {
  if (start.getTime() <= Date.now()) return 'past';
  const { minute } = wallTime(start, timeZone);
  if (minute < opensAt || minute + wish.minutes > closesAt) return 'closed';
  const end = start.getTime() + wish.minutes * MINUTE_MS;
  const overlapping = appointments.filter(({ id, start: from, end: to }) => {
    const isOther = id !== wish.appointmentId;
    return isOther && Date.parse(from) < end && Date.parse(to ?? from) > start.getTime();
  });
  if (overlapping.some(({ staffId }) => staffId !== null && staffId === wish.staffId)) return 'staff-busy';
  if (overlapping.some(({ petId }) => petId !== null && petId === wish.petId)) return 'pet-busy';
  return undefined;
}

/** Returns the first time within opening hours, not before an instant, at which the staff member and the pet are free. */
export function findFreeSlot(
  notBefore: Date,
  wish: Wish,
  appointments: readonly ChatAppointment[],
  opening: Opening,
): Date | undefined {
  const { timeZone, opensAt, closesAt } = opening;
  const first = wallTime(notBefore, timeZone).date;
  for (let day = 0; day < MAX_DAYS; day += 1) {
    for (let minute = opensAt; minute + wish.minutes <= closesAt; minute += STEP_MINUTES) {
      const start = instantAt(addDays(first, day), minute, timeZone);
      if (start === undefined || start < notBefore) continue;
      if (conflictAt(start, wish, appointments, opening) === undefined) return start;
    }
  }
  return undefined;
}
