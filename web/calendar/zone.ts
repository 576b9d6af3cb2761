/** A calendar day, `2026-11-23`, in whatever time zone it was asked for. */
export type LocalDate = string;

const MINUTE_MS = 60_000;
const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(timeZone: string): Intl.DateTimeFormat {
  let found = clocks.get(timeZone);
  if (!found) {
    const twoDigits = '2-digit';
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: twoDigits,
      day: twoDigits,
      hour: twoDigits,
      minute: twoDigits,
    });
    clocks.set(timeZone, found);
  }
  return found;
}

/** What the wall shows there: the day, and the minutes since it began by the clock. */
export function wallTime(instant: Date, timeZone: string): { date: LocalDate; minute: number } {
  const parts = Object.fromEntries(
    clock(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  );
  const { year = '', month = '', day = '', hour = '', minute = '' } = parts;
  return { date: `${year.padStart(4, '0')}-${month}-${day}`, minute: Number(hour) * 60 + Number(minute) };
}

/** The instant at which the day begins there; where clocks skip midnight, the first one after it. */
export function startOfDay(date: LocalDate, timeZone: string): Date {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  let instant = midnight;
  // The offset at the guess may not be the one at the result: a second look settles it.
  for (let looks = 0; looks < 2; looks += 1) {
    const wall = wallTime(new Date(instant), timeZone);
    const shown = Date.parse(`${wall.date}T00:00:00Z`) + wall.minute * MINUTE_MS;
    instant += midnight - shown;
  }
  while (wallTime(new Date(instant), timeZone).date < date) instant += 15 * MINUTE_MS;
  return new Date(instant);
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 24 * 60 * MINUTE_MS).toISOString().slice(0, 10);
}

export function isLocalDate(text: string | null): text is LocalDate {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

export function isTimeZone(text: string | null | undefined): text is string {
  if (!text) return false;
  try {
    return clock(text).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
