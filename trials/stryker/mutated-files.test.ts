import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { readPage, tableUnder } from '../../test/docs/pages.ts';
import { MUTATED_FILES } from './mutated-files.ts';

test('the mutated files and their tests exist', () => {
  const paths = MUTATED_FILES.flatMap(({ file, tests }) => [file, ...tests.map((name) => `${name}.test.ts`)]);
  const missing = paths.filter(
    (path) => !existsSync(fileURLToPath(new URL(`../../${path}`, import.meta.url))),
  );
  expect(missing).toEqual([]);
});

test('docs/reports/stryker.md has a row for each mutated file', () => {
  const rows = tableUnder(readPage('docs/reports/stryker.md'), 'Score');
  expect(rows.map((row) => row['file']).slice(0, -1)).toEqual(MUTATED_FILES.map(({ file }) => file));
});
