import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../src/errors.ts';
import { readPage, tableUnder } from './pages.ts';

const rows = tableUnder(readPage('docs/reference/errors.md'), 'Error codes');

test('docs/reference/errors.md lists every error code with its status, and no other', () => {
  const documented = rows.map(({ code, status }) => [code, Number(status)]);
  expect(documented.sort()).toEqual(Object.entries(ERROR_CODES).sort());
});

test('every code has a cause and an action', () => {
  expect(rows.filter((row) => !row['when'] || !row['what to do'])).toEqual([]);
});
