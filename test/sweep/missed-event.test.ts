import { expect, test } from '@jest/globals';
import { missedEvent } from '../../src/sweep/emit-missed.ts';

const WINDOW_START = 1_000;
const isCanceled = (status: string | null) => status === 'canceled' || status === 'no_show';
const row = { updatedAt: 2_000, createdAt: 1_500, status: 'scheduled' };

test.each([
  ['a new row that was never published is created', row, undefined, 'appointment:created'],
  [
    'an old row that was never published is updated',
    { ...row, createdAt: 500 },
    undefined,
    'appointment:updated',
  ],
  ['a row without createdAt is updated', { ...row, createdAt: null }, undefined, 'appointment:updated'],
  [
    'a row published in this very state is left alone',
    row,
    { updatedAt: 2_000, status: 'scheduled' },
    undefined,
  ],
  [
    'a row published earlier is updated',
    row,
    { updatedAt: 1_900, status: 'scheduled' },
    'appointment:updated',
  ],
  [
    'a row that became canceled is canceled',
    { ...row, status: 'canceled' },
    { updatedAt: 1_900, status: 'scheduled' },
    'appointment:canceled',
  ],
  [
    'a row with another status that means canceled is canceled',
    { ...row, status: 'no_show' },
    { updatedAt: 1_900, status: 'checked_in' },
    'appointment:canceled',
  ],
  [
    'a row that changes between two statuses that mean canceled is updated',
    { ...row, status: 'no_show' },
    { updatedAt: 1_900, status: 'canceled' },
    'appointment:updated',
  ],
  [
    'a canceled row that was written again is updated',
    { ...row, status: 'canceled' },
    { updatedAt: 1_900, status: 'canceled' },
    'appointment:updated',
  ],
] as const)('%s', (_, given, published, event) => {
  expect(missedEvent(given, published, { windowStart: WINDOW_START, isCanceled })).toBe(event);
});
