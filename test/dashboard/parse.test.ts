import { describe, expect, test } from '@jest/globals';
import {
  isTokenAccepted,
  parseEvent,
  parseList,
  parsePassed,
  parsePosition,
} from '../../packages/dashboard/src/parse.ts';

const NOT_OBJECTS = [undefined, null, 'text', 3, true];
const NOT_NAMES = [undefined, null, '', 3, {}];
const NOT_COUNTS = [undefined, null, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '3'];

const EVENT = {
  payload: { appointment: { _id: 'a' } },
  meta: { emissionId: 'x', event: 'appointment:created', epoch: 'e', offset: 3, read: 0 },
};

describe('an appointment event', () => {
  test('is accepted if it can be ordered', () => {
    expect(parseEvent(EVENT)).toEqual(EVENT);
    const first = { ...EVENT, meta: { ...EVENT.meta, emissionId: '', offset: 0 } };
    expect(parseEvent(first)).toEqual(first);
  });

  const changed = (key: string, values: readonly unknown[]) =>
    values.map((value) => [key, value] as [string, unknown]);
  test.each([
    ...changed('epoch', NOT_NAMES),
    ...changed('offset', NOT_COUNTS),
    ...changed('read', NOT_COUNTS),
    ...changed('emissionId', [undefined, 3]),
    ...changed('event', [undefined, 'appointment:moved', 'canary']),
  ])('is refused if its %s is %p', (key, value) => {
    expect(parseEvent({ ...EVENT, meta: { ...EVENT.meta, [key]: value } })).toBeUndefined();
  });

  test.each(NOT_OBJECTS)('is refused if its meta, payload or appointment is %p', (value) => {
    expect(parseEvent({ ...EVENT, meta: value })).toBeUndefined();
    expect(parseEvent({ ...EVENT, payload: value })).toBeUndefined();
    expect(parseEvent({ ...EVENT, payload: { appointment: value } })).toBeUndefined();
  });

  test.each(NOT_NAMES)('is refused if the id of its appointment is %p', (value) => {
    expect(parseEvent({ ...EVENT, payload: { appointment: { _id: value } } })).toBeUndefined();
  });
});

describe('a position', () => {
  test('is accepted with its reason, and without further fields', () => {
    const given = { epoch: 'e', offset: 3, recovered: false, reason: 'trimmed' };
    expect(parsePosition({ ...given, other: 1 })).toEqual(given);
    expect(parsePosition({ epoch: 'e', offset: 0, recovered: true })).toEqual({
      epoch: 'e',
      offset: 0,
      recovered: true,
    });
  });

  test.each(NOT_NAMES)('has no reason if that is %p', (reason) => {
    expect(parsePosition({ epoch: 'e', offset: 3, recovered: false, reason })).not.toHaveProperty('reason');
  });

  test('needs an epoch only if it is recovered', () => {
    expect(parsePosition({ epoch: '', offset: 0, recovered: true })).toBeUndefined();
    expect(parsePosition({ epoch: '', offset: 0, recovered: false })).toMatchObject({ epoch: '' });
  });

  test.each([
    ...NOT_OBJECTS,
    ...NOT_COUNTS.map((offset) => ({ epoch: 'e', offset, recovered: true })),
    ...[undefined, null, 3].map((epoch) => ({ epoch, offset: 3, recovered: false })),
    ...[undefined, null, 'true', 1].map((recovered) => ({ epoch: 'e', offset: 3, recovered })),
  ])('is refused if it is malformed: %p', (given) => {
    expect(parsePosition(given)).toBeUndefined();
  });
});

describe('emissions:passed', () => {
  test('is accepted without further fields', () => {
    expect(parsePassed({ epoch: 'e', offset: 3, other: 1 })).toEqual({ epoch: 'e', offset: 3 });
  });

  test.each([
    ...NOT_OBJECTS,
    ...NOT_NAMES.map((epoch) => ({ epoch, offset: 3 })),
    ...NOT_COUNTS.map((offset) => ({ epoch: 'e', offset })),
  ])('is refused if it is malformed: %p', (given) => {
    expect(parsePassed(given)).toBeUndefined();
  });
});

test('a new token is accepted only by the reply ok: true', () => {
  expect(isTokenAccepted({ ok: true })).toBe(true);
  for (const reply of [...NOT_OBJECTS, {}, { ok: false }, { ok: 1 }])
    expect(isTokenAccepted(reply)).toBe(false);
});

describe('a list', () => {
  const row = { appointment: { _id: 'a' }, offset: 3, read: 1 };
  const list = { epoch: 'e', offset: 3, appointments: [row] };

  test('is accepted as it is', () => {
    expect(parseList(list)).toBe(list);
    expect(parseList({ ...list, appointments: [] })).toEqual({ ...list, appointments: [] });
  });

  test.each([
    ...NOT_OBJECTS,
    ...NOT_NAMES.map((epoch) => ({ ...list, epoch })),
    ...NOT_COUNTS.map((offset) => ({ ...list, offset })),
    ...[undefined, null, {}, 'rows'].map((appointments) => ({ ...list, appointments })),
    ...NOT_OBJECTS.map((appointment) => ({ ...list, appointments: [row, { ...row, appointment }] })),
    ...NOT_OBJECTS.map((bad) => ({ ...list, appointments: [row, bad] })),
    ...NOT_NAMES.map((_id) => ({ ...list, appointments: [{ ...row, appointment: { _id } }, row] })),
    ...NOT_COUNTS.map((offset) => ({ ...list, appointments: [{ ...row, offset }] })),
    ...NOT_COUNTS.map((read) => ({ ...list, appointments: [{ ...row, read }] })),
  ])('is refused if it is malformed: %j', (given) => {
    expect(() => parseList(given)).toThrow(
      /^the list is malformed: it must have epoch, offset and appointments/,
    );
  });
});
