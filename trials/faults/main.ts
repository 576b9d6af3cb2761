import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { runScenario, type Row } from './run-scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { replaceTable, toTable } from './table.ts';

const PAGE = 'docs/reports/faults.md';
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    /** Runs only the rows whose fault contains this text. */
    only: { type: 'string', default: '' },
    'burst-seconds': { type: 'string', default: '30' },
    /** Rows that run at the same time. Their times are longer then. */
    'at-once': { type: 'string', default: '1' },
    seed: { type: 'string' },
    /** A file to write the results to. */
    json: { type: 'string' },
    /** Replaces the table in docs/reports/faults.md. */
    write: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const burstSeconds = Number(values['burst-seconds']);
const atOnce = Number(values['at-once']);
if (!Number.isSafeInteger(seed) || !(burstSeconds > 0))
  throw new Error('--seed must be an integer, --burst-seconds a positive number');
if (!Number.isSafeInteger(atOnce) || atOnce < 1)
  throw new Error('--at-once must be an integer from 1: rows that run at the same time');
if (values.write && atOnce > 1) throw new Error('--write needs --at-once 1: the table holds times');

print(`seed ${seed}`);
const wanted = SCENARIOS.filter(({ fault }) => fault.includes(values.only));
const rows: Row[] = [];
let next = 0;
await Promise.all(Array.from({ length: atOnce }, runRows));

print(`\n${toTable(rows)}\n`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seed, rows }, null, 2)}\n`);
if (values.write) {
  const page = replaceTable(readFileSync(PAGE, 'utf8'), toTable(rows));
  writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
}
const failed = rows.filter(({ problems }) => problems.length > 0).length;
print(`${rows.length - failed} passed, ${failed} failed`);
// Exit even if a failed row left handles open.
process.exit(failed === 0 && rows.length > 0 ? 0 : 1);

async function runRows(): Promise<void> {
  for (let index = next++; index < wanted.length; index = next++) {
    rows[index] = await runScenario(wanted[index]!, { seed, burstSeconds });
    printRow(rows[index]!);
  }
}

function printRow(row: Row): void {
  const { fault, recoveredMs, problems } = row;
  const recovery = recoveredMs === undefined ? 'not recovered' : `recovered after ${recoveredMs} ms`;
  print(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${fault}: ${recovery}`);
  for (const { outcome, times, maxDurationMs } of row.results)
    print(`       ${times} × ${outcome}, after at most ${maxDurationMs} ms`);
  for (const problem of problems.slice(0, 10)) print(`       ${problem}`);
}
