/**
 * Measures whether costs stay flat as the system grows: `npm run growth`. docs/reports/growth.md quotes its tables.
 *
 * --only companies,appointments,jobs   parts to measure; default: all
 * --scales 1,10,100                    multiples of the base size
 */
import { parseArgs } from 'node:util';
import { appointments, companies, jobs, type Step } from './steps.ts';

const PARTS: Record<string, Step> = { companies, appointments, jobs };
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(PARTS).join() },
    scales: { type: 'string', default: '1,10,100' },
  },
});
const scales = values.scales.split(',').map(Number);

for (const part of values.only.split(',')) {
  const step = PARTS[part];
  if (!step || !scales.every((scale) => scale >= 1)) {
    console.error(`usage: npm run growth -- [--only ${Object.keys(PARTS).join()}] [--scales 1,10,100]`);
    process.exit(2);
  }
  const columns: Record<string, number>[] = [];
  for (const scale of scales) {
    const startedAt = performance.now();
    columns.push(await step(scale));
    console.error(`${part} × ${scale}: ${Math.round((performance.now() - startedAt) / 1_000)} s`);
    console.error(JSON.stringify(columns.at(-1)));
  }
  console.log(tableOf(part, columns));
}
process.exit(0);

/** A Markdown table: one row for each figure, one column for each scale. */
function tableOf(part: string, columns: readonly Record<string, number>[]): string {
  const rows = Object.keys(columns[0] ?? {}).map((figure) => [
    figure,
    ...columns.map((column) => formatFigure(column[figure] ?? Number.NaN)),
  ]);
  const head = [part, ...scales.map((scale) => `× ${scale}`)];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function formatFigure(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);
}
