import { describe, expect, test } from '@jest/globals';
import { isCalendarDate, parseInstant } from '@appointment-emissions/contracts';

describe('parseInstant', () => {
  test.each([
    ['2027-02-28T10:00:00+01:00', '2027-02-28T09:00:00.000Z'],
    ['2027-02-28T10:00Z', '2027-02-28T10:00:00.000Z'],
    ['2027-02-28t10:00:00z', '2027-02-28T10:00:00.000Z'],
    ['2027-02-28T10:00:00.123456789-00:30', '2027-02-28T10:30:00.123Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['2000-02-29T23:59:59Z', '2000-02-29T23:59:59.000Z'],
    ['2027-01-01T00:30:00+05:45', '2026-12-31T18:45:00.000Z'],
    ['2027-02-28T10:00:00.5Z', '2027-02-28T10:00:00.500Z'],
    ['2027-03-01T23:59:00+23:59', '2027-03-01T00:00:00.000Z'],
    ['1970-01-01', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('accepts %s', (text, expected) => {
    expect(new Date(parseInstant(text) ?? Number.NaN).toISOString()).toBe(expected);
  });

  test.each([
    ['a 29 February of a common year', '2027-02-29T10:00:00+01:00'],
    ['a 29 February of a century', '2100-02-29'],
    ['a 30 February', '2028-02-30'],
    ['a 31 April', '2027-04-31'],
    ['a 31 September at a time', '2027-09-31T10:00Z'],
    ['day 0', '2027-04-00'],
    ['month 0', '2027-00-10'],
    ['month 13', '2027-13-01'],
    ['24:00', '2027-03-01T24:00:00Z'],
    ['minute 60', '2027-03-01T10:60:00Z'],
    ['second 60', '2027-06-30T23:59:60Z'],
    ['an offset of 99 hours', '2027-03-01T10:00:00+99:99'],
    ['an offset of 24 hours', '2027-03-01T10:00:00+24:00'],
    ['an offset with 60 minutes', '2027-03-01T10:00:00+01:60'],
    ['an offset without a colon', '2027-03-01T10:00:00+0100'],
    ['no offset', '2027-03-01T10:00:00'],
    ['an offset alone', '2027-03-01Z'],
    ['an offset whose + became a space', '2027-03-01T10:00:00 01:00'],
    ['a space instead of the T', '2027-03-01 10:00:00Z'],
    ['spaces around a date', ' 2027-03-01 '],
    ['a date with a line break', '2027-03-01\n'],
    ['a week date', '2027-W10-1'],
    ['an ordinal date', '2027-060'],
    ['the basic format', '20270301T100000Z'],
    ['full-width digits', '２０２７-03-01'],
    ['a decimal comma', '2027-03-01T10:00:00,5Z'],
    ['the year 0', '0000-01-01'],
    ['the year 1969', '1969-12-31T23:59:59.999Z'],
    ['an instant before 1970 because of its offset', '1970-01-01T00:00:00+00:01'],
    ['an instant after 9999 because of its offset', '9999-12-31T23:59:59-00:01'],
    ['a year of six digits', '+010000-01-01'],
    ['the last year of JavaScript', '+275760-09-13T00:00:00Z'],
    ['a number', '1800000000000'],
    ['an empty text', ''],
  ])('rejects %s', (_, text) => {
    expect(parseInstant(text)).toBeUndefined();
  });
});

test('isCalendarDate accepts a date that exists, alone', () => {
  for (const date of ['2028-02-29', '1970-01-01', '9999-12-31']) expect(isCalendarDate(date)).toBe(true);
  for (const text of ['2027-02-29', '1969-12-31', '2027-03-01T10:00Z', '12027-03-01', 'at 2027-03-01', ''])
    expect(isCalendarDate(text)).toBe(false);
});
