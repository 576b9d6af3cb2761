import { describe, expect, test } from '@jest/globals';
import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import {
  cardTowards,
  columnsOf,
  layOut,
  shownPart,
  spanOfDay,
  TONES,
} from '../../../web/calendar/day-layout.ts';
import { appointment } from '../appointment-fixture.ts';

const DAY = '2026-11-23';

/** `at('a', '09:00-10:00', 'Maya')`, canceled with a `-` before the id. */
function at(id: string, times: string, staff: string | null, status = 'scheduled'): AppointmentSnapshot {
  const [start, end] = times.split('-').map((time) => `${DAY}T${time}:00.000Z`);
  const staffId = staff === null ? null : { _id: staff, fullName: staff, role: 'Groomer' };
  return appointment({ _id: id, start: start!, end: end ?? null, staffId, status });
}

function lay(appointments: AppointmentSnapshot[], timeZone = 'UTC', date = DAY) {
  return layOut(appointments, columnsOf(appointments), spanOfDay(date, timeZone)).placements;
}

describe('the layout of a day', () => {
  test('has a column for each staff member, by name, and one for unassigned appointments', () => {
    const columns = columnsOf([at('a', '09:00', 'Maya'), at('b', '09:00', null), at('c', '09:00', 'Jonas')]);
    expect(columns.map(({ name }) => name)).toEqual(['Jonas', 'Maya', 'Not assigned']);
  });

  test('contains the appointments of the day in the time zone, in order of time', () => {
    const early = at('early', '05:30-06:30', 'Maya');
    const late = at('late', '04:30-05:00', 'Maya');
    expect(lay([early, late]).map(({ appointment: { _id } }) => _id)).toEqual(['late', 'early']);
    const inNewYork = lay([early, late], 'America/New_York');
    expect(inNewYork.map(({ appointment: { _id }, from, to }) => [_id, from, to])).toEqual([
      ['early', 30, 90],
    ]);
  });

  test('gives each staff member a colour, which stays the same when a staff member is added', () => {
    const staff = Array.from(
      { length: TONES },
      (_, n) => `65f1a2b3c4d5e6f7081900${String(n).padStart(2, '0')}`,
    );
    const tonesOf = (ids: string[]) =>
      new Map(columnsOf(ids.map((id) => at(id, '09:00', id))).map(({ staffId, tone }) => [staffId, tone]));
    expect(new Set(tonesOf(staff).values()).size).toBe(TONES);
    for (let hired = 1; hired < staff.length; hired += 1) {
      const before = tonesOf(staff.slice(0, hired));
      const after = tonesOf(staff.slice(0, hired + 1));
      for (const [id, tone] of before) expect([id, after.get(id)]).toEqual([id, tone]);
    }
  });

  test('puts only overlapping appointments side by side, canceled ones last', () => {
    const placements = lay([
      at('canceled', '09:00-10:00', 'Maya', 'canceled'),
      at('booked', '09:00-11:00', 'Maya'),
      at('after', '10:00-11:00', 'Maya'),
      at('alone', '11:00-12:00', 'Maya'),
      at('other', '09:00-10:00', 'Jonas'),
    ]);
    const lanes = Object.fromEntries(
      placements.map(({ appointment: { _id }, lane, lanes }) => [_id, `${lane} of ${lanes}`]),
    );
    expect(lanes).toEqual({
      booked: '0 of 2',
      canceled: '1 of 2',
      after: '1 of 2',
      alone: '0 of 1',
      other: '0 of 1',
    });
  });

  test('replaces the appointments beyond two lanes with one button for each time', () => {
    const rows = [
      ...['a', 'b', 'c', 'd'].map((id) => at(id, '09:00-10:00', 'Maya')),
      at('long', '08:30-12:00', 'Maya'),
      at('late', '11:00-12:00', 'Maya'),
      at('canceled', '09:00-10:00', 'Maya', 'canceled'),
    ];
    const day = spanOfDay(DAY, 'UTC');
    const { placements, folds } = layOut(rows, columnsOf(rows), day);
    const folded = placements.filter(({ isFolded }) => isFolded).map(({ appointment: { _id } }) => _id);
    expect(folded).toEqual(['b', 'c', 'd', 'canceled']);
    expect(folds).toEqual([{ column: 0, lane: 2, lanes: 3, from: 540, to: 600, count: 4 }]);
    const all = layOut(rows, columnsOf(rows), day, new Set(['Maya']));
    expect(all.folds).toEqual([]);
    expect(new Set(all.placements.map(({ lane }) => lane)).size).toBe(6);
    expect(all.placements.some(({ isFolded }) => isFolded)).toBe(false);
  });

  test('lets an appointment fill the lanes beside it that are empty', () => {
    const rows = [
      at('long', '09:00-12:00', 'Maya'),
      at('b', '09:00-10:00', 'Maya'),
      at('c', '09:00-10:00', 'Maya'),
      at('alone', '11:00-12:00', 'Maya'),
    ];
    const spans = Object.fromEntries(
      lay(rows).map(({ appointment, lane, span }) => [appointment._id, [lane, span]]),
    );
    expect(spans).toEqual({ b: [0, 1], c: [1, 1], long: [2, 1], alone: [0, 2] });
  });

  test('places appointments without an end or with an end on another day', () => {
    const overnight = { ...at('overnight', '23:00-23:30', 'Maya'), end: '2026-11-24T01:00:00.000Z' };
    const [endless, till] = lay([at('endless', '09:00', 'Jonas'), overnight]);
    expect([endless?.to, till?.to]).toEqual([570, 1440]);
  });

  test('shows the part of each appointment on the day', () => {
    const lasting = (id: string, start: string, end: string) => ({
      ...at(id, '09:00-10:00', 'Maya'),
      start,
      end,
    });
    const rows = [
      lasting('from yesterday', '2026-11-22T22:00:00.000Z', '2026-11-23T06:30:00.000Z'),
      lasting('all day', '2026-11-20T10:00:00.000Z', '2026-11-25T10:00:00.000Z'),
      lasting('to tomorrow', '2026-11-23T23:55:00.000Z', '2026-11-24T06:00:00.000Z'),
      lasting('until midnight before', '2026-11-22T20:00:00.000Z', '2026-11-23T00:00:00.000Z'),
      lasting('from midnight after', '2026-11-24T00:00:00.000Z', '2026-11-24T01:00:00.000Z'),
      { ...at('endless, of yesterday', '09:00', 'Maya'), start: '2026-11-22T23:50:00.000Z', end: null },
    ];
    expect(
      Object.fromEntries(lay(rows).map(({ appointment, from, to }) => [appointment._id, [from, to]])),
    ).toEqual({
      'from yesterday': [0, 390],
      'all day': [0, 1440],
      'to tomorrow': [1435, 1440],
    });
  });

  test('an hour has its real height on the day of a clock change', () => {
    const night = (date: string, start: string, end: string) => {
      const row = { ...at('night', '09:00', 'Maya'), start, end };
      const [placed] = lay([row], 'Europe/Berlin', date);
      return placed && [placed.from, placed.to];
    };
    expect(night('2027-03-28', '2027-03-27T22:00:00.000Z', '2027-03-28T05:00:00.000Z')).toEqual([0, 360]);
    expect(night('2027-03-27', '2027-03-27T22:00:00.000Z', '2027-03-28T05:00:00.000Z')).toEqual([1380, 1440]);
    // 01:30 to 03:30, and 02:45 to 02:45: one hour each.
    expect(night('2027-03-28', '2027-03-28T00:30:00.000Z', '2027-03-28T01:30:00.000Z')).toEqual([90, 150]);
    expect(night('2027-10-31', '2027-10-31T00:45:00.000Z', '2027-10-31T01:45:00.000Z')).toEqual([165, 225]);
    expect(['2027-03-28', '2027-10-31'].map((date) => spanOfDay(date, 'Europe/Berlin').minutes)).toEqual([
      23 * 60,
      25 * 60,
    ]);
    expect(shownPart([], '2027-03-28', 'Europe/Berlin')).toEqual({ from: 420, to: 1020 });
  });

  test('marks the parts of an appointment that began earlier or goes on', () => {
    const stay = {
      ...at('stay', '09:00', 'Maya'),
      start: '2026-11-22T22:00:00.000Z',
      end: '2026-11-24T07:00:00.000Z',
    };
    const marks = ['2026-11-22', '2026-11-23', '2026-11-24'].map((date) => {
      const [placed] = lay([stay], 'UTC', date);
      return [placed?.beganBefore, placed?.goesOn];
    });
    expect(marks).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ]);
  });

  test('shows working hours, extended to all appointments', () => {
    expect(shownPart([], DAY, 'UTC')).toEqual({ from: 480, to: 1080 });
    const placements = lay([at('a', '06:45-07:00', 'Maya'), at('b', '19:30-20:30', 'Maya')]);
    expect(shownPart(placements, DAY, 'UTC')).toEqual({ from: 360, to: 1260 });
  });
});

describe('arrow keys', () => {
  const inOrder = lay([
    at('maya 9', '09:00-10:00', 'Maya'),
    at('maya 9 too', '09:30-10:00', 'Maya'),
    at('maya 11', '11:00-12:00', 'Maya'),
    at('jonas 9', '09:00-10:00', 'Jonas'),
    at('jonas 11', '11:15-12:00', 'Jonas'),
  ]);
  const find = (id: string) => inOrder.find(({ appointment: { _id } }) => _id === id)!;
  const go = (key: string, from: string, isList = false) =>
    cardTowards(key, find(from), inOrder, isList)?.appointment._id;

  test('move within a column, between lanes, and to the next column at a similar time', () => {
    expect(go('ArrowDown', 'jonas 9')).toBe('jonas 11');
    expect(go('ArrowUp', 'jonas 9')).toBeUndefined();
    expect(go('ArrowRight', 'jonas 11')).toBe('maya 11');
    expect(go('ArrowRight', 'maya 9')).toBe('maya 9 too');
    expect(go('ArrowLeft', 'maya 11')).toBe('jonas 11');
    expect(go('End', 'jonas 9')).toBe('jonas 11');
  });

  test('move up and down in the list view', () => {
    expect(go('ArrowDown', 'jonas 9', true)).toBe('maya 9');
    expect(go('ArrowRight', 'jonas 9', true)).toBeUndefined();
  });
});
