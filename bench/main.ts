import { parseArgs } from 'node:util';
import { judge, median, ratioOf, spreadOf, type Figure, type Must } from './harness/figures.ts';
import { watchOthers } from './harness/others.ts';
import { commit, machine, versions, writeResult, type Result } from './harness/results.ts';
import { readServers } from './harness/servers.ts';
import { writePage } from './report/page.ts';
import { SCENARIOS } from './scenarios.ts';

const DEFAULT_ROUNDS = 5;
const LATENCIES = Object.keys(SCENARIOS).filter((name) => name.startsWith('latency-'));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
    /** Write what was found to `bench/results/`, and the page anew. */
    save: { type: 'boolean', default: false },
    /** Only write the page anew. */
    report: { type: 'boolean', default: false },
    /** End with 1 where a must is not reached. */
    strict: { type: 'boolean', default: false },
  },
});
const asked = positionals.flatMap((name) => (name === 'latency' ? LATENCIES : name));
const unknown = asked.filter((name) => !(name in SCENARIOS));
const rounds = Number(values.rounds);
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`npm run bench -- [--rounds 5] [--save] [--strict] [scenario …]; or --report alone
scenarios: ${Object.keys(SCENARIOS).join(', ')}; latency means all of those`);
  process.exit(2);
}

let missed = 0;
if (!values.report) {
  const servers = await readServers();
  for (const [scenario, { title, musts, run }] of Object.entries(SCENARIOS)) {
    if (asked.length > 0 && !asked.includes(scenario)) continue;
    process.stderr.write(`${scenario}: ${title}\n`);
    const takenByOthers = watchOthers();
    const found = await run(rounds);
    const result: Result = {
      ...{ scenario, title, musts, rounds, measuredAt: new Date().toISOString(), commit: commit() },
      ...{ machine: machine(), versions: versions(servers), takenByOthers: takenByOthers() },
      ...found,
    };
    print(result);
    if (values.save) writeResult(result);
  }
}
if (values.save || values.report) await writePage();
process.exit(values.strict && missed > 0 ? 1 : 0);

/** Ratios first: absolute values only tell the size. */
function print({ title, figures, musts, facts = {}, profiles = {}, takenByOthers }: Result): void {
  const others =
    takenByOthers === undefined ? '' : ` (others took ${Math.round(takenByOthers * 100)}% of the CPU)`;
  console.log(`\n${title}${others}`);
  for (const figure of figures) {
    console.log(figure.name);
    console.table(rowsOf(figure));
  }
  for (const [name, value] of Object.entries(facts)) console.log(`${name}: ${value.toPrecision(4)}`);
  for (const must of musts) printMust(figures, must);
  for (const [name, { busy, byPackage }] of Object.entries(profiles)) {
    console.log(`${name}: busy ${Math.round(busy * 100)}%`);
    console.table(
      byPackage.slice(0, 12).map(({ what, share }) => ({ what, '%': Number((share * 100).toFixed(1)) })),
    );
  }
}

function rowsOf(figure: Figure): Record<string, Record<string, string>> {
  const [base] = figure.sides;
  return Object.fromEntries(
    figure.sides.map(({ name, values: own }) => [
      name,
      {
        ratio: ratioOf(figure, name, base!.name).value.toFixed(3),
        median: median(own).toPrecision(4),
        spread: spreadOf(own).toFixed(2),
      },
    ]),
  );
}

function printMust(figures: Figure[], must: Must): void {
  const figure = figures.find(({ name }) => name === must.figure);
  if (!figure) throw new Error(`"${must.figure}" was not measured`);
  const { value } = ratioOf(figure, must.side, must.against);
  const verdict = judge(value, must);
  if (verdict === 'NOT reached') missed += 1;
  const aim = must.aim === undefined ? '' : `, aim ${must.aim}`;
  console.log(`${verdict}: ${must.says}: ${value.toFixed(3)} (${must.bound} ${must.must}${aim})`);
}
