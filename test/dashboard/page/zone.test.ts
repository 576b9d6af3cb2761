import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addDays, isTimeZone, startOfDay, wallTime } from '../../../web/calendar/zone.ts';

describe('the start of a day', () => {
  test.each([
    ['UTC', '2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['Europe/Berlin', '2026-11-23', '2026-11-22T23:00:00.000Z'],
    ['America/Los_Angeles', '2026-07-01', '2026-07-01T07:00:00.000Z'],
    ['Asia/Kathmandu', '2026-01-01', '2025-12-31T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-01-01', '2025-12-31T10:00:00.000Z'],
    ['Europe/Berlin, the day that summer time begins', '2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['Europe/Berlin, the day after', '2026-03-30', '2026-03-29T22:00:00.000Z'],
    ['Africa/Cairo, where that day has no midnight', '2026-04-24', '2026-04-23T22:00:00.000Z'],
  ])('in %s, %s', (zone, date, expected) => {
    expect(startOfDay(date, zone.split(',')[0]!).toISOString()).toBe(expected);
  });

  test('is the first instant that shows its date, everywhere and always', () => {
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

test('the wall shows the local day and minute', () => {
  const instant = new Date('2026-11-22T23:30:00Z');
  expect(wallTime(instant, 'Europe/Berlin')).toEqual({ date: '2026-11-23', minute: 30 });
  expect(wallTime(instant, 'America/New_York')).toEqual({ date: '2026-11-22', minute: 18 * 60 + 30 });
});

test('what is no time zone is told from one', () => {
  expect(['Europe/Berlin', 'Mars/Olympus', '', null].map(isTimeZone)).toEqual([true, false, false, false]);
});
