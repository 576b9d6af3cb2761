import { FIRST_INSTANT, isCalendarDate, LAST_INSTANT } from './instant.ts';

/** A calendar date without a time zone: `2026-11-23`. */
export type LocalDate = string;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const FIRST_DATE: LocalDate = '1970-01-01';
const LAST_DATE: LocalDate = '9999-12-31';
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * The local date and time of an instant in a time zone.
 *
 * @returns `minute`: minutes since midnight as a wall clock shows them, so 600 is 10:00
 * @example
 * ```ts
 * wallTime(new Date('2026-11-22T23:30:00Z'), 'Europe/Berlin'); // { date: '2026-11-23', minute: 30 }
 * ```
 */
export function wallTime(instant: Date, timeZone: string): { date: LocalDate; minute: number } {
  const shown = new Date(shownAt(instant.getTime(), timeZone));
  return {
    date: shown.toISOString().slice(0, -'T00:00:00.000Z'.length),
    minute: shown.getUTCHours() * 60 + shown.getUTCMinutes(),
  };
}

/**
 * Converts a local date and time to an instant.
 *
 * If the local time occurs twice (clocks are set back), the first occurrence is returned. If it does not occur (clocks
 * are set forward over it), the result is undefined: nothing can be booked at that time.
 *
 * @param minute minutes since midnight as a wall clock shows them
 * @example
 * ```ts
 * instantAt('2026-11-23', 10 * 60, 'Europe/Berlin'); // 2026-11-23T09:00:00.000Z
 * instantAt('2027-03-28', 2 * 60 + 30, 'Europe/Berlin'); // undefined: clocks go from 02:00 to 03:00
 * ```
 */
export function instantAt(date: LocalDate, minute: number, timeZone: string): Date | undefined {
  const { found } = lookUp(midnightInUtc(date) + minute * MINUTE_MS, timeZone);
  return found === undefined ? undefined : new Date(found);
}

/** Like {@link instantAt}, but if the local time is skipped, returns the instant at which the clocks are set forward. */
export function instantAtOrAfter(date: LocalDate, minute: number, timeZone: string): Date {
  const wanted = midnightInUtc(date) + minute * MINUTE_MS;
  const { found, candidates } = lookUp(wanted, timeZone);
  if (found !== undefined) return new Date(found);
  // The local time is before `wanted` at the earliest candidate and after it at the latest: bisect to find the change.
  let [before, after] = [Math.min(...candidates), Math.max(...candidates)];
  while (after - before > SECOND_MS) {
    const middle = before + Math.floor((after - before) / 2 / SECOND_MS) * SECOND_MS;
    if (shownAt(middle, timeZone) < wanted) before = middle;
    else after = middle;
  }
  return new Date(after);
}

/** The first instant of a date. It is not always 00:00: in some time zones clocks are set forward at midnight. */
export function startOfDay(date: LocalDate, timeZone: string): Date {
  return new Date(withinLimits(instantAtOrAfter(date, 0, timeZone).getTime()));
}

/** The first instant after a date: an exclusive end. */
export function endOfDay(date: LocalDate, timeZone: string): Date {
  return new Date(withinLimits(instantAtOrAfter(date, 24 * 60, timeZone).getTime()));
}

/** Adds days to a date; a negative number subtracts. The result is limited to the years 1970 to 9999. */
export function addDays(date: LocalDate, days: number): LocalDate {
  const ms = midnightInUtc(date) + days * DAY_MS;
  if (ms <= FIRST_INSTANT) return FIRST_DATE;
  return ms > LAST_INSTANT ? LAST_DATE : new Date(ms).toISOString().slice(0, 10);
}

export function isLocalDate(text: string | null): text is LocalDate {
  return text !== null && isCalendarDate(text);
}

/** True for an IANA time zone that this runtime supports, such as `Europe/Berlin`. */
export function isTimeZone(text: string | null | undefined): text is string {
  if (!text) return false;
  try {
    return formatFor(text).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * Finds the earliest instant that has a local time. The offset of a zone from UTC is less than a day, so the offset
 * of the instant is one of those that apply a day before, at, and a day after the same time in UTC.
 * @param wanted the local time, read as if it were UTC
 * @returns `found`: undefined if the clocks skip the local time
 */
function lookUp(wanted: number, timeZone: string): { found: number | undefined; candidates: number[] } {
  const candidates = [-DAY_MS, 0, DAY_MS].map((away) => wanted - offsetAt(wanted + away, timeZone));
  const shown = candidates.filter((candidate) => shownAt(candidate, timeZone) === wanted);
  return { found: shown.length > 0 ? Math.min(...shown) : undefined, candidates };
}

function offsetAt(instant: number, timeZone: string): number {
  return shownAt(instant, timeZone) - instant;
}

/** The local time of an instant, as the ms since 1970 that it would be in UTC. */
function shownAt(instant: number, timeZone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatFor(timeZone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  // formatToParts omits fractions of a second.
  const rest = ((instant % SECOND_MS) + SECOND_MS) % SECOND_MS;
  return Date.UTC(year, month - 1, day, hour, minute, second) + rest;
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

function midnightInUtc(date: LocalDate): number {
  return Date.parse(`${date}T00:00:00Z`);
}

function withinLimits(instant: number): number {
  return Math.min(Math.max(instant, FIRST_INSTANT), LAST_INSTANT);
}
