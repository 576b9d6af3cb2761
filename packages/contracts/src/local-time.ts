import { FIRST_INSTANT, isCalendarDate, LAST_INSTANT } from './instant.ts';

/** A date of the calendar, `2026-11-23`, without a time zone. */
export type LocalDate = string;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const FIRST_DATE: LocalDate = '1970-01-01';
const LAST_DATE: LocalDate = '9999-12-31';
const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a time zone show at an instant: the date, and the minute of the day. */
export function wallTime(instant: Date, timeZone: string): { date: LocalDate; minute: number } {
  const shown = new Date(shownAt(instant.getTime(), timeZone));
  return {
    date: shown.toISOString().slice(0, -'T00:00:00.000Z'.length),
    minute: shown.getUTCHours() * 60 + shown.getUTCMinutes(),
  };
}

/**
 * The instant at which the clocks of a time zone show a time. Where they show it twice, since they are set back, the
 * first of the two. Undefined where they never show it, since they are set forward over it: nothing can be booked then.
 * @param minute since midnight by the clock
 */
export function instantAt(date: LocalDate, minute: number, timeZone: string): Date | undefined {
  const { found } = lookUp(midnightInUtc(date) + minute * MINUTE_MS, timeZone);
  return found === undefined ? undefined : new Date(found);
}

/** As {@link instantAt}; where the clocks skip the time, the instant at which they are set forward over it. */
export function instantAtOrAfter(date: LocalDate, minute: number, timeZone: string): Date {
  const wanted = midnightInUtc(date) + minute * MINUTE_MS;
  const { found, candidates } = lookUp(wanted, timeZone);
  if (found !== undefined) return new Date(found);
  // The clocks show an earlier time at the first candidate and a later one at the last: look for the change between.
  let [before, after] = [Math.min(...candidates), Math.max(...candidates)];
  while (after - before > SECOND_MS) {
    const middle = before + Math.floor((after - before) / 2 / SECOND_MS) * SECOND_MS;
    if (shownAt(middle, timeZone) < wanted) before = middle;
    else after = middle;
  }
  return new Date(after);
}

/** The first instant of a date: not always 00:00, since some clocks are set forward at midnight. */
export function startOfDay(date: LocalDate, timeZone: string): Date {
  return new Date(withinLimits(instantAtOrAfter(date, 0, timeZone).getTime()));
}

/** The first instant after a date. */
export function endOfDay(date: LocalDate, timeZone: string): Date {
  return new Date(withinLimits(instantAtOrAfter(date, 24 * 60, timeZone).getTime()));
}

/** The date so many days later; earlier, if negative. Stays within the years 1970 to 9999. */
export function addDays(date: LocalDate, days: number): LocalDate {
  const ms = midnightInUtc(date) + days * DAY_MS;
  if (ms <= FIRST_INSTANT) return FIRST_DATE;
  return ms > LAST_INSTANT ? LAST_DATE : new Date(ms).toISOString().slice(0, 10);
}

export function isLocalDate(text: string | null): text is LocalDate {
  return text !== null && isCalendarDate(text);
}

export function isTimeZone(text: string | null | undefined): text is string {
  if (!text) return false;
  try {
    return formatFor(text).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * The earliest instant at which the clocks show a time, if there is one. The clocks of a zone are never further than
 * a day from UTC, so the offsets a day before and a day after are those that the instant can have.
 * @param wanted what the clocks show, as if it were UTC
 */
function lookUp(wanted: number, timeZone: string): { found: number | undefined; candidates: number[] } {
  const candidates = [-DAY_MS, 0, DAY_MS].map((away) => wanted - offsetAt(wanted + away, timeZone));
  const shown = candidates.filter((candidate) => shownAt(candidate, timeZone) === wanted);
  return { found: shown.length > 0 ? Math.min(...shown) : undefined, candidates };
}

function offsetAt(instant: number, timeZone: string): number {
  return shownAt(instant, timeZone) - instant;
}

/** What the clocks of a time zone show at an instant, to the second, as if it were UTC. */
function shownAt(instant: number, timeZone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatFor(timeZone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  // Intl leaves out what is less than a second.
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
