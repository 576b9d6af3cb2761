/** The earliest instant that is accepted as input: the start of the year 1970 in UTC, in ms since 1970. */
export const FIRST_INSTANT = 0;
/** The latest instant that is accepted as input: the end of the year 9999 in UTC, in ms since 1970. */
export const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A date, or a date with a time and an offset. RFC 3339 allows `T` and `Z` in lower case too. */
const ISO_8601 =
  /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2})))?$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MINUTE_MS = 60_000;

/**
 * Parses an instant in ISO 8601. A date without a time means midnight in UTC.
 *
 * Unlike `Date.parse`, which reads 30 February as 2 March, it rejects dates and times that do not exist (30 February,
 * 24:00, second 60, an offset of 24 hours or more). It also rejects times without an offset and instants outside
 * {@link FIRST_INSTANT} to {@link LAST_INSTANT}.
 *
 * @returns ms since 1970, or undefined if the text is not a valid instant
 * @example
 * ```ts
 * parseInstant('2027-02-28T10:00:00+01:00'); // 1803805200000
 * parseInstant('2027-02-28'); // 1803772800000
 * parseInstant('2027-02-30T10:00:00Z'); // undefined
 * ```
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

/** True for `YYYY-MM-DD` if the date exists and its year is 1970 to 9999: `2028-02-29`, but not `2027-02-29`. */
export function isCalendarDate(text: string): boolean {
  return DATE.test(text) && parseInstant(text) !== undefined;
}
