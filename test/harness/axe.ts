import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const load = createRequire(import.meta.url);

interface Violation {
  id: string;
  nodes: { target: string[] }[];
}

/**
 * Runs axe-core in a page. Resolves to its findings of every impact, each as `rule: selectors`; it ignores hidden elements.
 * The script is evaluated through the debugger, so the page's content security policy may stay as it is.
 */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(load.resolve('axe-core/axe.min.js'), 'utf8'));
  const run = `axe.run(document, { resultTypes: ['violations'] })`;
  const { violations } = await page.evaluate<{ violations: Violation[] }>(run);
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}
