import { expect, test } from '@jest/globals';
import { SCENARIOS } from '../../trials/faults/scenarios.ts';
import { readPage, tableUnder } from './pages.ts';

const rows = tableUnder(readPage('docs/reports/faults.md'), 'Faults');

test('the fault table has a row for each fault that is provoked, in order, and no other', () => {
  expect(rows.map(({ fault }) => fault)).toEqual(SCENARIOS.map(({ fault }) => fault.replaceAll('`', '')));
});

test('no fault is provoked twice', () => {
  expect(new Set(SCENARIOS.map(({ fault }) => fault)).size).toBe(SCENARIOS.length);
});

test.each(rows)('$fault: recovered, and nothing is lost', (row) => {
  expect(row['recovered after']).toMatch(/^\d+\.\d s$/);
  expect(row['accepted']).toMatch(/^\d+( in the burst)?, all published/);
});
