import { beforeEach, expect, test } from '@jest/globals';
import {
  createReorderBuffer,
  hasSnapshot,
  type ReceivedEvent,
} from '../../packages/dashboard/src/reorder-buffer.ts';
import { appointment, meta } from './appointment-fixture.ts';

let buffer: ReturnType<typeof createReorderBuffer>;
beforeEach(() => {
  buffer = createReorderBuffer();
});

function push(...stamps: [offset: number, read?: number, epoch?: string][]): void {
  for (const [offset, read = 0, epoch = 'e'] of stamps) {
    buffer.push({
      payload: { appointment: appointment({ _id: 'a' }) },
      meta: meta({ epoch, offset, read }),
    });
  }
}
const stampsOf = (events: readonly ReceivedEvent[]) =>
  events.map(({ meta: { epoch, offset, read } }) => `${epoch} ${offset}.${read}`);
const release = (offset: number, isSettled: boolean) =>
  stampsOf(buffer.release({ epoch: 'e', offset }, isSettled));

test('a new buffer is empty', () => {
  expect([buffer.size, buffer.hasReplays, stampsOf(buffer.drain())]).toEqual([0, false, []]);
});

test('drain returns all events in the order of offset and read, and empties the buffer', () => {
  push([3], [1, 2], [1], [2], [1, 1]);
  expect(buffer.size).toBe(5);
  expect(stampsOf(buffer.drain())).toEqual(['e 1.0', 'e 1.1', 'e 1.2', 'e 2.0', 'e 3.0']);
  expect(buffer.size).toBe(0);
});

test('live events are released up to the first gap', () => {
  push([6], [4], [5], [8], [9]);
  expect(release(3, true)).toEqual(['e 4.0', 'e 5.0', 'e 6.0']);
  expect(buffer.size).toBe(2);
  expect(release(6, true)).toEqual([]);
  expect(release(7, true)).toEqual(['e 8.0', 'e 9.0']);
});

test('a live event at or below the position is released, and does not move the position back', () => {
  push([1], [4]);
  expect(release(3, false)).toEqual(['e 1.0', 'e 4.0']);
});

test('replays are released only if no catch-up is outstanding', () => {
  push([9, 1], [4]);
  expect(buffer.hasReplays).toBe(true);
  expect(release(3, false)).toEqual(['e 4.0']);
  expect(release(4, true)).toEqual(['e 9.1']);
});

test('a released replay closes no gap between live events', () => {
  push([5, 1], [6]);
  expect(release(3, true)).toEqual(['e 5.1']);
  expect(buffer.size).toBe(1);
});

test('only a replay counts as a replay', () => {
  push([4]);
  expect(buffer.hasReplays).toBe(false);
  push([4, 1]);
  expect(buffer.hasReplays).toBe(true);
});

test('events of another epoch are kept during a catch-up, and dropped after it', () => {
  push([4, 0, 'f'], [4]);
  expect(release(3, false)).toEqual(['e 4.0']);
  expect(buffer.size).toBe(1);
  expect(release(4, true)).toEqual([]);
  expect(buffer.size).toBe(0);
});

test('the highest offset is that of the live events of one epoch', () => {
  expect(buffer.highestOffset('e')).toBe(0);
  push([4], [7], [5], [9, 1], [12, 0, 'f']);
  expect(buffer.highestOffset('e')).toBe(7);
  expect(buffer.highestOffset('f')).toBe(12);
});

test('dropLiveAbove drops live events of the epoch above the offset, and nothing else', () => {
  push([4], [5], [6], [9, 1], [9, 0, 'f']);
  buffer.dropLiveAbove({ epoch: 'e', offset: 5 });
  expect(stampsOf(buffer.drain()).sort()).toEqual(['e 4.0', 'e 5.0', 'e 9.1', 'f 9.0']);
});

test('only a deletion has no snapshot', () => {
  const event = (name: 'appointment:deleted' | 'appointment:canceled') => ({
    payload: { appointment: appointment({ _id: 'a' }) },
    meta: meta({ epoch: 'e', offset: 1, event: name }),
  });
  expect(hasSnapshot(event('appointment:canceled'))).toBe(true);
  expect(hasSnapshot(event('appointment:deleted'))).toBe(false);
});
