import { expect, test } from '@jest/globals';
import { createPage } from '../../bench/report/page.ts';
import { readPage } from './pages.ts';

test('docs/reports/benchmarks.md is what bench/results and its template make', async () => {
  expect(readPage('docs/reports/benchmarks.md')).toBe(await createPage());
});
