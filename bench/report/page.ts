import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { readResults, type Result } from '../harness/results.ts';
import { thresholds, numbers, rates, runs } from './tables.ts';

const PAGE = fileURLToPath(new URL('../../docs/reports/benchmarks.md', import.meta.url));
/** The page's text. A comment such as `<!-- numbers: post batch -->` marks where a table is inserted, and its scenarios. */
const TEMPLATE = new URL('./page.md', import.meta.url);

type Table = (results: readonly Result[], notMeasured: readonly string[]) => string;
const TABLES: Record<string, Table> = { thresholds, numbers, rates, runs };

/** Returns the text of `docs/reports/benchmarks.md`, generated from the template and `bench/results/`. */
export async function createPage(): Promise<string> {
  const results = readResults();
  const page = readFileSync(TEMPLATE, 'utf8').replaceAll(
    /<!-- (\w+):\s([\w\s-]+?)\s*-->/g,
    (_whole, name: string, scenarios: string) => {
      const table = TABLES[name];
      if (!table) throw new Error(`unknown table "${name}" in the template`);
      const wanted = scenarios.split(/\s+/);
      const found = wanted.flatMap((scenario) => results.get(scenario) ?? []);
      return table(
        found,
        wanted.filter((scenario) => !results.has(scenario)),
      );
    },
  );
  return format(page, { ...(await resolveConfig(PAGE)), parser: 'markdown' });
}

export async function writePage(): Promise<void> {
  writeFileSync(PAGE, await createPage());
}
