/** The instants that are accepted from outside, in ms since 1970: those of the years 1970 to 9999 in UTC. */
export const FIRST_INSTANT = 0;
export const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Date, then time and offset or neither; `T` and `Z` in either case, as RFC 3339 has it. */
const ISO_8601 =
  /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2})))?$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MINUTE_MS = 60_000;

/**
 * Reads an instant in ISO 8601, such as `2027-02-28T10:00:00+01:00`; a date alone is its midnight in UTC. Gives ms
 * since 1970, or undefined for anything else: no offset, a date or a time that does not exist (30 February, 24:00, a
 * second 60, an offset of 24 hours or more), or an instant outside of {@link FIRST_INSTANT} to {@link LAST_INSTANT}.
 *
 * `Date.parse` checks none of this: it reads 30 February as 2 March.
 */
export function parseInstant(text: string): number | undefined {
  const match = ISO_8601.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '00:00', second = '00', fraction = '', sign, hours = '00', minutes = '00'] =
    match;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const asUtc = `${date}T${time}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const shown = Date.parse(asUtc);
  if (Number.isNaN(shown) || new Date(shown).toISOString() !== asUtc) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  const instant = sign === '-' ? shown + offset : shown - offset;
  return instant >= FIRST_INSTANT && instant <= LAST_INSTANT ? instant : undefined;
}

/** Whether a text is a date that exists, in a year from 1970 to 9999: `2028-02-29`, not `2027-02-29`. */
export function isCalendarDate(text: string): boolean {
  return DATE.test(text) && parseInstant(text) !== undefined;
}
