/** A date of the calendar, `2026-11-23`. */
export type LocalDate = string;

/** The date that it is at an instant, in a time zone. */
export function localDate(instant: Date, timeZone: string): LocalDate {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(instant);
}

/** The date so many days later; earlier, if negative. */
export function addDays(date: LocalDate, days: number): LocalDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/**
 * The instant at which the clocks of a time zone show this time. Around a change of the clocks it may be off by the
 * hour that they jump.
 * @param minutes since midnight
 */
export function instantOf(date: LocalDate, minutes: number, timeZone: string): Date {
  const asUtc = Date.parse(`${date}T00:00:00Z`) + minutes * 60_000;
  return new Date(asUtc - offsetMs(new Date(asUtc - offsetMs(new Date(asUtc), timeZone)), timeZone));
}

/** How far the clocks of a time zone are ahead of UTC. */
function offsetMs(instant: Date, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const part = Object.fromEntries(
    format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  );
  const shown = Date.UTC(
    part.year ?? 0,
    (part.month ?? 1) - 1,
    part.day ?? 1,
    part.hour ?? 0,
    part.minute ?? 0,
    part.second ?? 0,
  );
  return shown - Math.floor(instant.getTime() / 1000) * 1000;
}
