import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { readResults, type Result } from '../harness/results.ts';
import { musts, numbers, profiles, runs } from './tables.ts';

const PAGE = fileURLToPath(new URL('../../docs/reports/benchmarks.md', import.meta.url));
/** The words, with `<!-- table: scenario scenario -->` where a table goes. */
const TEMPLATE = new URL('./page.md', import.meta.url);

type Table = (results: readonly Result[], notMeasured: readonly string[]) => string;
const TABLES: Record<string, Table> = { musts, numbers, profiles, runs };

/** `docs/reports/benchmarks.md`, as `bench/results/` and the template make it. */
export async function createPage(): Promise<string> {
  const results = readResults();
  const page = readFileSync(TEMPLATE, 'utf8').replaceAll(
    /<!-- (\w+):\s([\w\s-]+?)\s*-->/g,
    (_whole, name: string, scenarios: string) => {
      const table = TABLES[name];
      if (!table) throw new Error(`the template asks for a table "${name}"`);
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
