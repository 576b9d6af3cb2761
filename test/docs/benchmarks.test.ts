import { expect, test } from '@jest/globals';
import { createPage } from '../../bench/report/page.ts';
import { readPage } from './pages.ts';

test('docs/benchmarks.md is what bench/results and its template make', async () => {
  expect(readPage('docs/benchmarks.md')).toBe(await createPage());
});
