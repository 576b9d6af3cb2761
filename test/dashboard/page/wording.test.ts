import { describe, expect, test } from '@jest/globals';
import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import { sentence, timeRange } from '../../../web/calendar/wording.ts';
import { appointment } from '../appointment-fixture.ts';

const biscuit = appointment({
  _id: 'a',
  petId: { _id: 'p', name: 'Biscuit', species: 'dog', breed: 'Poodle', size: null, coatType: null },
  serviceId: { _id: 's', name: 'Full Groom' },
  staffId: { _id: 't', fullName: 'Maya Brandt', role: null },
});
const say = (before: AppointmentSnapshot | undefined, now: AppointmentSnapshot, event = 'updated' as const) =>
  sentence(`appointment:${event}`, before, now, 'Europe/Berlin', 'en-GB');

describe('the announcement of a change', () => {
  test('depends on the status first', () => {
    const canceled = { ...biscuit, status: 'canceled' };
    expect(say(biscuit, canceled)).toBe('Canceled: Biscuit, Mon 23 Nov, 10:00 with Maya Brandt');
  });

  test('depends on the event if the appointment was unknown', () => {
    const created = sentence('appointment:created', undefined, biscuit, 'Europe/Berlin', 'en-GB');
    expect(created).toBe('Booked: Biscuit, Full Groom, Mon 23 Nov, 10:00 with Maya Brandt');
    expect(say(undefined, biscuit)).toBe('Changed: Biscuit, Mon 23 Nov, 10:00 with Maya Brandt');
  });

  test('depends on the change if the appointment was known', () => {
    const moved = { ...biscuit, start: '2026-11-24T15:30:00.000Z' };
    expect(say(biscuit, moved)).toBe('Moved: Biscuit to Tue 24 Nov, 16:30 with Maya Brandt');
    expect(say(biscuit, biscuit)).toBe('Changed: Biscuit, Mon 23 Nov, 10:00 with Maya Brandt');
  });

  test.each([
    ['checked_in', 'Checked in'],
    ['in_progress', 'In progress'],
    ['completed', 'Completed'],
    ['no_show', 'No show'],
  ])('names the new status %s', (status, name) => {
    const announced = `${name}: Biscuit, Mon 23 Nov, 10:00 with Maya Brandt`;
    expect(say(biscuit, { ...biscuit, status })).toBe(announced);
  });

  test('names a deleted appointment', () => {
    const deleted = sentence('appointment:deleted', biscuit, biscuit, 'Europe/Berlin', 'en-GB');
    expect(deleted).toBe('Deleted: Biscuit, Mon 23 Nov, 10:00 with Maya Brandt');
  });

  test('contains dates if the appointment ends on another day', () => {
    const lasts = (start: string, end: string) =>
      timeRange(appointment({ _id: 'a', start, end }), 'UTC', 'en-GB');
    expect(lasts('2026-11-23T22:00:00.000Z', '2026-11-24T07:00:00.000Z')).toBe(
      'Mon 23 Nov, 22:00 – Tue 24 Nov, 07:00',
    );
    expect(lasts('2026-11-23T22:00:00.000Z', '2026-11-24T00:00:00.000Z')).toBe('22:00 – 00:00');
  });

  test('works with an almost empty appointment', () => {
    const bare = appointment({ _id: 'a', start: null, end: null });
    expect(say(undefined, bare)).toBe('Changed: Unknown pet, no time yet');
    expect(timeRange(bare, 'UTC')).toBe('');
  });
});
