import {
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type AppointmentSnapshot,
  EVENT_SLUGS,
  isolate,
  type LocalDate,
  wallTime,
} from '@appointment-emissions/contracts';
import { statusName } from './status.ts';

export function timeOfDay(instant: Date, timeZone: string, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone, timeStyle: 'short' }).format(instant);
}

/** `10:00 – 11:00`, or with dates if it ends on another day: `Mon 23 Nov, 22:00 – Tue 24 Nov, 07:00`. */
export function timeRange({ start, end }: AppointmentSnapshot, timeZone: string, locale?: string): string {
  if (start === null) return '';
  const from = timeOfDay(new Date(start), timeZone, locale);
  if (end === null) return from;
  const to = timeOfDay(new Date(end), timeZone, locale);
  // An appointment that ends at midnight does not extend to the next day.
  const lastInstant = Math.max(Date.parse(end) - 1, Date.parse(start));
  const [first, last] = [start, lastInstant].map((at) => wallTime(new Date(at), timeZone).date);
  if (first === last) return `${from} – ${to}`;
  const lastDay = wallTime(new Date(end), timeZone).date;
  return `${shortDate(first ?? '', locale)}, ${from} – ${shortDate(lastDay, locale)}, ${to}`;
}

export function longDate(date: LocalDate, locale?: string): string {
  return new Intl.DateTimeFormat(locale, {
    timeZone: 'UTC',
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  }).format(new Date(date));
}

function shortDate(date: LocalDate, locale?: string): string {
  return new Intl.DateTimeFormat(locale, {
    timeZone: 'UTC',
    weekday: 'short',
    day: 'numeric',
    month: 'short',
  }).format(new Date(date));
}

/** Species and breed; each may be unknown. */
export function kindOfPet({ petId }: AppointmentSnapshot): (string | null | undefined)[] {
  return [petId?.species, petId?.breed];
}

export function petName({ petId }: AppointmentSnapshot): string {
  return petId?.name ?? 'Unknown pet';
}

/**
 * Describes a change of an appointment in one sentence, which is shown and read by screen readers.
 * @param now the appointment after the change; for a deletion, its last snapshot
 */
export function sentence(
  event: AppointmentEvent,
  before: AppointmentSnapshot | undefined,
  now: AppointmentSnapshot,
  timeZone: string,
  locale?: string,
): string {
  const pet = isolate(petName(now));
  const start = now.start === null ? undefined : new Date(now.start);
  const when =
    start === undefined
      ? 'no time yet'
      : `${shortDate(wallTime(start, timeZone).date, locale)}, ${timeOfDay(start, timeZone, locale)}`;
  const staff = now.staffId?.fullName ? ` with ${isolate(now.staffId.fullName)}` : '';
  if (event === APPOINTMENT_DELETED) return `Deleted: ${pet}, ${when}${staff}`;
  if (now.status === 'canceled') return `Canceled: ${pet}, ${when}${staff}`;
  if (before === undefined && event === EVENT_SLUGS['appointment-created']) {
    return `Booked: ${pet}${now.serviceId?.name ? `, ${isolate(now.serviceId.name)}` : ''}, ${when}${staff}`;
  }
  if (before !== undefined && before.start !== now.start) return `Moved: ${pet} to ${when}${staff}`;
  if (before !== undefined && before.status !== now.status) {
    return `${isolate(statusName(now))}: ${pet}, ${when}${staff}`;
  }
  return `Changed: ${pet}, ${when}${staff}`;
}
