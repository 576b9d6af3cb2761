import { expect, test } from '@jest/globals';
import { SCENARIOS } from '../../trials/faults/scenarios.ts';
import { readPage, tableUnder } from './pages.ts';

const rows = tableUnder(readPage('docs/reports/faults.md'), 'Faults');

test('the fault table has a row for each fault that the trials cause, in order, and no other', () => {
  expect(rows.map(({ fault }) => fault)).toEqual(SCENARIOS.map(({ fault }) => fault.replaceAll('`', '')));
});

test('no fault is caused twice', () => {
  expect(new Set(SCENARIOS.map(({ fault }) => fault)).size).toBe(SCENARIOS.length);
});

test.each(rows)('$fault: the service recovered, and nothing was lost', (row) => {
  expect(row['recovered after, s']).toMatch(/^\d+\.\d$/);
  expect(row['published/accepted']).toMatch(/^(\d+)\/\1(,|$)/);
});
