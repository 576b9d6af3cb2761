import { wallTime } from '@appointment-emissions/contracts';

const MINUTE_MS = 60_000;

/** An instant as a wall clock in a time zone shows it. */
export interface LocalMoment {
  /** `2026-11-30` */
  date: string;
  /** `09:05` */
  time: string;
  /** Offset from UTC: `+01:00` */
  offset: string;
  /** ISO 8601 with the offset: `2026-11-30T09:05:00+01:00` */
  iso: string;
}

export function localMoment(instant: Date, timeZone: string): LocalMoment {
  const { date, minute } = wallTime(instant, timeZone);
  const shown = Date.parse(`${date}T00:00:00Z`) + minute * MINUTE_MS;
  const offsetMinutes = Math.round((shown - instant.getTime()) / MINUTE_MS);
  const offset = (offsetMinutes < 0 ? '-' : '+') + clock(Math.abs(offsetMinutes));
  const time = clock(minute);
  return { date, time, offset, iso: `${date}T${time}:00${offset}` };
}

/** 545 → `09:05` */
function clock(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/** `Monday, 30 November 2026` */
export function longDate(date: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' }).format(
    new Date(`${date}T00:00:00Z`),
  );
}

/** `Monday, 30 November 2026, 09:00 to 10:00 (Europe/Berlin)` */
export function periodInWords(start: string | null, end: string | null, timeZone: string): string {
  if (start === null) return 'at an unknown time';
  const from = localMoment(new Date(start), timeZone);
  const until = end === null ? '' : ` to ${localMoment(new Date(end), timeZone).time}`;
  return `${longDate(from.date)}, ${from.time}${until} (${timeZone})`;
}
