import { expect, test } from '@jest/globals';
import { DAMAGE_KINDS } from '../../src/process/damaged-data.ts';
import { readPage, tableUnder } from './pages.ts';

test('docs/reference/damaged-data.md says what happens for each kind, and has no other kind', () => {
  const rows = tableUnder(readPage('docs/reference/damaged-data.md'), 'Kinds');
  expect(rows.map(({ kind }) => kind)).toEqual([...DAMAGE_KINDS]);
  expect(rows.filter((row) => !row['what happens'])).toEqual([]);
});
