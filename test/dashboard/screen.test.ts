import { beforeEach, describe, expect, test } from '@jest/globals';
import { createScreen, type Screen } from '../../packages/dashboard/src/screen.ts';
import { appointment } from './appointment-fixture.ts';

let screen: Screen;
beforeEach(() => {
  screen = createScreen();
});

const stamp = (offset: number, read = 0, epoch = 'e') => ({ epoch, offset, read });
const show = (id: string, ...order: Parameters<typeof stamp>) =>
  screen.show({ appointment: appointment({ _id: id }), ...stamp(...order) });
const remove = (id: string, ...order: Parameters<typeof stamp>) => screen.remove(id, stamp(...order));
/** @param rows offset and read of each row, by id */
const replace = (offset: number, rows: Record<string, [number, number]> = {}, epoch = 'e') => {
  screen.replace({
    epoch,
    offset,
    appointments: Object.entries(rows).map(([id, [rowOffset, read]]) => ({
      appointment: appointment({ _id: id }),
      offset: rowOffset,
      read,
    })),
  });
};
const rows = () =>
  [...screen.rows].map(([id, { epoch, offset, read }]) => `${id} ${epoch} ${offset}.${read}`);

describe('a snapshot', () => {
  test('is shown if it is newer by offset, or by read at the same offset', () => {
    expect([show('a', 3), show('a', 3, 1), show('a', 4)]).toEqual([true, true, true]);
    expect(rows()).toEqual(['a e 4.0']);
  });

  test('is not shown if it is older, or the same', () => {
    show('a', 3, 1);
    expect([show('a', 2, 9), show('a', 3, 0), show('a', 3, 1)]).toEqual([false, false, false]);
    expect(rows()).toEqual(['a e 3.1']);
  });

  test('of another epoch replaces any', () => {
    show('a', 9);
    expect(show('a', 1, 0, 'f')).toBe(true);
    expect(rows()).toEqual(['a f 1.0']);
  });

  test('of one appointment is not compared with another appointment', () => {
    show('a', 9);
    expect(show('b', 1)).toBe(true);
  });
});

describe('a deletion', () => {
  test('removes the appointment, and older snapshots do not bring it back', () => {
    show('a', 3);
    expect(remove('a', 4)).toBe(true);
    expect([rows(), show('a', 3, 5), show('a', 4)]).toEqual([[], false, false]);
    expect([show('a', 5), rows()]).toEqual([true, ['a e 5.0']]);
  });

  test('that is older than the screen is ignored', () => {
    show('a', 3);
    expect([remove('a', 2), remove('a', 3), rows()]).toEqual([false, false, ['a e 3.0']]);
  });

  test('is forgotten when a newer snapshot is shown', () => {
    remove('a', 4);
    show('a', 5);
    screen.distrustAbove({ epoch: 'e', offset: 0 });
    expect(rows()).toEqual(['a e 0.0']);
    expect(show('a', 1)).toBe(true);
  });
});

test('a cleared screen is empty; an appointment comes back only with a newer snapshot', () => {
  show('a', 3, 1);
  screen.clear();
  expect(rows()).toEqual([]);
  expect([show('a', 3, 1), show('a', 3, 2)]).toEqual([false, true]);
});

describe('a list', () => {
  test('replaces older rows and removes those that it does not contain', () => {
    show('a', 2);
    show('b', 2);
    replace(3, { a: [3, 1] });
    expect(rows()).toEqual(['a e 3.1']);
  });

  test('leaves newer snapshots and those that were read after its rows', () => {
    show('a', 5);
    show('b', 3, 2);
    show('c', 3, 1);
    replace(3, { a: [3, 1], b: [3, 1], c: [3, 2] });
    expect(rows()).toEqual(['a e 5.0', 'b e 3.2', 'c e 3.2']);
  });

  test('leaves a row that it does not contain if the row is newer', () => {
    show('new', 4);
    show('replayed', 3, 1);
    show('old', 3);
    replace(3);
    expect(rows()).toEqual(['new e 4.0', 'replayed e 3.1']);
  });

  test('of another epoch replaces all rows', () => {
    show('a', 9);
    replace(1, { b: [1, 1] }, 'f');
    expect(rows()).toEqual(['b f 1.1']);
  });

  test('prevents older snapshots of what it does not contain', () => {
    replace(3);
    expect([show('a', 2), show('a', 3, 9), show('a', 4)]).toEqual([false, false, true]);
  });

  test('does not bring back an appointment whose deletion is newer', () => {
    show('a', 2);
    remove('a', 4);
    replace(3, { a: [3, 1] });
    expect(rows()).toEqual([]);
    expect([show('a', 4), show('a', 5)]).toEqual([false, true]);
  });

  test('brings back an appointment whose deletion is older', () => {
    remove('a', 2);
    replace(3, { a: [3, 1] });
    expect(rows()).toEqual(['a e 3.1']);
  });

  test('of another epoch brings back what was deleted before', () => {
    remove('a', 9);
    replace(1, { a: [1, 1] }, 'f');
    expect(rows()).toEqual(['a f 1.1']);
  });

  test('prevents all snapshots of its offset, also of what a replay at that offset removed', () => {
    remove('a', 3, 2);
    replace(3);
    expect([show('a', 3, 3), show('a', 4)]).toEqual([false, true]);
  });

  test('replaces the order of older deletions with its own', () => {
    remove('a', 2);
    replace(3);
    expect([show('a', 3, 1), show('a', 4)]).toEqual([false, true]);
  });
});

describe('snapshots above a distrusted position', () => {
  test('stay on the screen until the server sends newer ones', () => {
    show('above', 9, 1);
    show('at', 5, 1);
    show('other epoch', 9, 0, 'f');
    screen.distrustAbove({ epoch: 'e', offset: 5 });
    expect(rows()).toEqual(['above e 5.0', 'at e 5.1', 'other epoch f 9.0']);
    expect(screen.rows.get('above')?.appointment._id).toBe('above');
    expect(show('above', 6)).toBe(true);
  });

  test('do not keep their deletions', () => {
    remove('above', 9);
    remove('at', 5, 1);
    screen.distrustAbove({ epoch: 'e', offset: 5 });
    expect([show('above', 5), show('above', 6), show('at', 5, 1), show('at', 6)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  test('do not keep a list that is above it', () => {
    replace(9);
    screen.distrustAbove({ epoch: 'e', offset: 5 });
    expect([show('a', 5), show('b', 6)]).toEqual([false, true]);
  });

  test('keep a list that is not above it', () => {
    replace(5);
    screen.distrustAbove({ epoch: 'e', offset: 5 });
    expect([show('a', 5, 9), show('a', 6)]).toEqual([false, true]);
  });
});
