import { expect, test } from '@jest/globals';
import { missedEvent } from '../../src/sweep/emit-missed.ts';

const WINDOW_START = 1_000;
const isCanceled = (status: string | null) => status === 'canceled' || status === 'no_show';
const row = { updatedAt: 2_000, createdAt: 1_500, status: 'scheduled', isDeleted: false };

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
  [
    'a row that was marked as deleted is deleted',
    { ...row, isDeleted: true },
    { updatedAt: 1_900, status: 'scheduled' },
    'appointment:deleted',
  ],
  [
    'a deleted row whose last snapshot has the same time is deleted',
    { ...row, isDeleted: true },
    { updatedAt: 2_000, status: 'scheduled' },
    'appointment:deleted',
  ],
  [
    'a deleted row that was never published is deleted',
    { ...row, isDeleted: true },
    undefined,
    'appointment:deleted',
  ],
  ['a row whose deletion was published is left alone', { ...row, isDeleted: true }, 'deletion', undefined],
  ['a row that is restored is updated', { ...row, createdAt: 500 }, 'deletion', 'appointment:updated'],
  ['a row that is added again after its deletion is created', row, 'deletion', 'appointment:created'],
] as const)('%s', (_, given, published, event) => {
  expect(missedEvent(given, published, { windowStart: WINDOW_START, isCanceled })).toBe(event);
});
