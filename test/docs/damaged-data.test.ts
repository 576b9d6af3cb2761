import { expect, test } from '@jest/globals';
import { DAMAGE_KINDS } from '../../src/process/damaged-data.ts';
import { readPage, tableUnder } from './pages.ts';

test('the page says where each kind of damaged data is and what happens, and names no other kind', () => {
  const rows = tableUnder(readPage('docs/reference/damaged-data.md'), 'Kinds');
  expect(rows.map(({ kind }) => kind)).toEqual([...DAMAGE_KINDS]);
  expect(rows.filter((row) => !row['where'] || !row['what happens'])).toEqual([]);
});
