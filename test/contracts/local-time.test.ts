import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addDays,
  endOfDay,
  instantAt,
  instantAtOrAfter,
  isLocalDate,
  isTimeZone,
  startOfDay,
  wallTime,
} from '@appointment-emissions/contracts';

describe('startOfDay', () => {
  test.each([
    ['UTC', '2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['Europe/Berlin', '2026-11-23', '2026-11-22T23:00:00.000Z'],
    ['America/Los_Angeles', '2026-07-01', '2026-07-01T07:00:00.000Z'],
    ['Asia/Kathmandu', '2026-01-01', '2025-12-31T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-01-01', '2025-12-31T10:00:00.000Z'],
    ['Europe/Berlin, on the first day of summer time', '2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['Europe/Berlin, on the day after', '2026-03-30', '2026-03-29T22:00:00.000Z'],
    ['Africa/Cairo, on a day without midnight', '2026-04-24', '2026-04-23T22:00:00.000Z'],
  ])('in %s: %s', (zone, date, expected) => {
    expect(startOfDay(date, zone.split(',')[0]!).toISOString()).toBe(expected);
  });

  test('returns the first instant of the date in every zone and on every day', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Africa/Cairo',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 4000 }), (zone, day) => {
        const date = addDays('2020-01-01', day);
        const start = startOfDay(date, zone);
        expect(wallTime(start, zone).date).toBe(date);
        expect(wallTime(new Date(start.getTime() - 1), zone).date).toBe(addDays(date, -1));
      }),
    );
  });
});

test('wallTime returns the local date and minute of an instant', () => {
  const instant = new Date('2026-11-22T23:30:00Z');
  expect(wallTime(instant, 'Europe/Berlin')).toEqual({ date: '2026-11-23', minute: 30 });
  expect(wallTime(instant, 'America/New_York')).toEqual({ date: '2026-11-22', minute: 18 * 60 + 30 });
});

test('isTimeZone accepts IANA names only', () => {
  expect(['Europe/Berlin', 'Mars/Olympus', '', null].map(isTimeZone)).toEqual([true, false, false, false]);
});

describe('instantAt', () => {
  const at = (zone: string, date: string, time: string) => {
    const [hours = 0, minutes = 0] = time.split(':').map(Number);
    return instantAt(date, hours * 60 + minutes, zone)?.toISOString();
  };

  test.each([
    ['Europe/Berlin', '2027-03-28', '23:00', '2027-03-28T21:00:00.000Z'],
    ['Europe/Berlin', '2027-03-28', '03:00', '2027-03-28T01:00:00.000Z'],
    ['America/Santiago', '2027-09-05', '01:00', '2027-09-05T04:00:00.000Z'],
    ['Australia/Lord_Howe', '2027-10-03', '02:30', '2027-10-02T15:30:00.000Z'],
    ['Pacific/Apia', '2011-12-31', '00:00', '2011-12-30T10:00:00.000Z'],
    ['Asia/Kathmandu', '2027-03-01', '10:00', '2027-03-01T04:15:00.000Z'],
  ])('converts in %s: %s %s', (zone, date, time, expected) => {
    expect(at(zone, date, time)).toBe(expected);
  });

  test.each([
    ['Europe/Berlin', '2027-03-28', '02:30'],
    ['America/Santiago', '2027-09-05', '00:30'],
    ['Australia/Lord_Howe', '2027-10-03', '02:15'],
    ['Pacific/Apia', '2011-12-30', '12:00'],
    ['Africa/Cairo', '2027-04-30', '00:30'],
    ['Asia/Beirut', '2027-03-28', '00:00'],
  ])('returns undefined for a time that the clocks of %s skip: %s %s', (zone, date, time) => {
    expect(at(zone, date, time)).toBeUndefined();
  });

  test('returns the first occurrence if clocks are set back', () => {
    expect(at('Europe/Berlin', '2027-10-31', '02:30')).toBe('2027-10-31T00:30:00.000Z');
    expect(at('Australia/Lord_Howe', '2027-04-04', '01:45')).toBe('2027-04-03T14:45:00.000Z');
    expect(at('America/Havana', '2027-11-07', '00:30')).toBe('2027-11-07T04:30:00.000Z');
  });

  test('instantAtOrAfter returns the instant after a skipped time', () => {
    const after = instantAtOrAfter('2027-03-28', 2 * 60 + 30, 'Europe/Berlin');
    expect(after.toISOString()).toBe('2027-03-28T01:00:00.000Z');
    expect(startOfDay('2027-09-05', 'America/Santiago').toISOString()).toBe('2027-09-05T04:00:00.000Z');
    expect(startOfDay('2011-12-30', 'Pacific/Apia')).toEqual(endOfDay('2011-12-30', 'Pacific/Apia'));
  });

  test('agrees with Intl around every clock change of every zone', () => {
    const wrong = Intl.supportedValuesOf('timeZone').flatMap((zone) =>
      changesOf(zone, 2011, 2013)
        .concat(changesOf(zone, 2026, 2028))
        .flatMap((change) => disagreements(zone, change)),
    );
    expect(wrong).toEqual([]);
  });
});

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 24 * 3_600_000;

/** The local time, as if it were UTC. */
function shown(instant: number, zone: string): number {
  const { date, minute } = wallTime(new Date(instant), zone);
  return Date.parse(date) + minute * 60_000;
}

/** The clock changes of a zone, to the quarter of an hour. */
function changesOf(zone: string, fromYear: number, toYear: number): number[] {
  const changes = [];
  const offset = (instant: number) => shown(instant, zone) - instant;
  const end = Date.UTC(toYear, 0, 1);
  for (let at = Date.UTC(fromYear, 0, 1); at < end; at += 10 * DAY_MS) {
    let [before, after] = [at, at + 10 * DAY_MS];
    if (offset(before) === offset(after)) continue;
    const first = offset(before);
    while (after - before > QUARTER_MS) {
      const middle = before + Math.floor((after - before) / 2 / QUARTER_MS) * QUARTER_MS;
      if (offset(middle) === first) before = middle;
      else after = middle;
    }
    changes.push(after);
  }
  return changes;
}

/** Compares with Intl at each half hour of the two days around a clock change. */
function disagreements(zone: string, change: number): string[] {
  const firstAt = new Map<number, number>();
  for (let at = change - 27 * 3_600_000; at <= change + 27 * 3_600_000; at += 2 * QUARTER_MS) {
    const wall = shown(at, zone);
    if (!firstAt.has(wall)) firstAt.set(wall, at);
  }
  const [before, after] = [shown(change - 1, zone) + 60_000, shown(change, zone)];
  const wrong = [];
  for (
    let wall = Math.min(before, after) - 4 * QUARTER_MS;
    wall <= Math.max(before, after);
    wall += 2 * QUARTER_MS
  ) {
    const date = new Date(wall).toISOString().slice(0, 10);
    const found = instantAt(date, (wall - Date.parse(date)) / 60_000, zone)?.getTime();
    if (found !== firstAt.get(wall)) wrong.push(`${zone} ${new Date(wall).toISOString()}`);
  }
  return wrong;
}

test('isLocalDate accepts dates that exist, in the years 1970 to 9999', () => {
  for (const date of ['2028-02-29', '2000-02-29', '1970-01-01', '9999-12-31'])
    expect(isLocalDate(date)).toBe(true);
  for (const date of ['2027-02-29', '2100-02-29', '2027-04-31', '2027-13-01', '2027-00-10', '2027-01-00'])
    expect(isLocalDate(date)).toBe(false);
  for (const text of [
    '1969-12-31',
    '0000-01-01',
    '10000-01-01',
    '2027-1-1',
    ' 2027-01-01',
    '2027-W01-1',
    '',
    null,
  ])
    expect(isLocalDate(text)).toBe(false);
});

test('date arithmetic is limited to the years 1970 to 9999', () => {
  expect(addDays('2027-12-31', 1)).toBe('2028-01-01');
  expect(addDays('9999-12-31', 1)).toBe('9999-12-31');
  expect(addDays('1970-01-01', -1)).toBe('1970-01-01');
  expect(endOfDay('9999-12-31', 'America/Los_Angeles').toISOString()).toBe('9999-12-31T23:59:59.999Z');
  expect(startOfDay('1970-01-01', 'Asia/Tokyo').toISOString()).toBe('1970-01-01T00:00:00.000Z');
});
