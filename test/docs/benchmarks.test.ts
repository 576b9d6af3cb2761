import { expect, test } from '@jest/globals';
import { createPage } from '../../bench/report/page.ts';
import { readPage } from './pages.ts';

test('docs/reports/benchmarks.md is generated from bench/results and the template', async () => {
  expect(readPage('docs/reports/benchmarks.md')).toBe(await createPage());
});
