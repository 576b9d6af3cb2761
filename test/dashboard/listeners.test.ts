import { expect, test } from '@jest/globals';
import { createListeners } from '../../packages/dashboard/src/listeners.ts';

test('a listener that throws is reported, and the other listeners are called', () => {
  const faults: unknown[] = [];
  const received: number[] = [];
  const listeners = createListeners<{ tick: (n: number) => void }>((fault) => faults.push(fault));
  listeners.on('tick', () => {
    throw new Error('a fault of the page');
  });
  const off = listeners.on('tick', (n) => received.push(n));
  listeners.emit('tick', 1);
  off();
  listeners.emit('tick', 2);
  expect(received).toEqual([1]);
  expect(faults).toEqual([new Error('a fault of the page'), new Error('a fault of the page')]);
});
