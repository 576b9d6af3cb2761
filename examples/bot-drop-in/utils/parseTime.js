/** Parses `tomorrow at 14:00` or `2031-05-14 14:00` in the company's time zone. */
export function parseTime(text, timeZone, now = new Date()) {
  const [, day, time] = /^(tomorrow|\d{4}-\d\d-\d\d) (?:at )?(\d\d:\d\d)$/.exec(text) ?? [];
  if (day === undefined) throw new Error(`"${text}" is not a time like "tomorrow at 14:00"`);
  const date = day === 'tomorrow' ? localTime(now.getTime() + 24 * 3_600_000, timeZone).slice(0, 10) : day;
  const wanted = Date.parse(`${date}T${time}:00Z`);
  return new Date(wanted - (Date.parse(`${localTime(wanted, timeZone)}Z`) - wanted));
}

function localTime(instant, timeZone) {
  return new Date(instant).toLocaleString('sv-SE', { timeZone }).replace(' ', 'T');
}
