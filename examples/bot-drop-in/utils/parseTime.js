const DAY_MS = 24 * 3_600_000;

/** Parses `tomorrow at 14:00` or `2031-05-14 14:00` in the company's time zone. */
export function parseTime(text, timeZone, now = new Date()) {
  const [, day, time] = /^(tomorrow|\d{4}-\d\d-\d\d) (?:at )?(\d\d:\d\d)$/.exec(text) ?? [];
  if (day === undefined) throw new Error(`"${text}" is not a time like "tomorrow at 14:00"`);
  const date = day === 'tomorrow' ? dayAfter(localTime(now, timeZone).slice(0, 10)) : day;
  const asUtc = Date.parse(`${date}T${time}:00Z`);
  // The first result can have the offset from the wrong side of a clock change. The second has the right one.
  const estimate = asUtc - offsetAt(asUtc, timeZone);
  return new Date(asUtc - offsetAt(estimate, timeZone));
}

/** A day of a clock change has 23 or 25 hours, so this adds to the date and not to the instant. */
function dayAfter(date) {
  return new Date(Date.parse(date) + DAY_MS).toISOString().slice(0, 10);
}

function offsetAt(instant, timeZone) {
  return Date.parse(`${localTime(instant, timeZone)}Z`) - instant;
}

function localTime(instant, timeZone) {
  return new Date(instant).toLocaleString('sv-SE', { timeZone }).replace(' ', 'T');
}
