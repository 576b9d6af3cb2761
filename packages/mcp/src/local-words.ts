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

const LONG_DATE = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});

/** `Monday, 30 November 2026`. Versions of Node differ in the comma, so the parts are put together here. */
export function longDate(date: string): string {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of LONG_DATE.formatToParts(new Date(`${date}T00:00:00Z`))) parts[type] = value;
  const { weekday = '', day = '', month = '', year = '' } = parts;
  return `${weekday}, ${day} ${month} ${year}`;
}

/** `Monday, 30 November 2026, 09:00 to 10:00 (Europe/Berlin)` */
export function periodInWords(start: string | null, end: string | null, timeZone: string): string {
  if (start === null) return 'at an unknown time';
  const from = localMoment(new Date(start), timeZone);
  const until = end === null ? '' : ` to ${localMoment(new Date(end), timeZone).time}`;
  return `${longDate(from.date)}, ${from.time}${until} (${timeZone})`;
}
