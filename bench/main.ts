import { parseArgs } from 'node:util';
import {
  median,
  ratioOf,
  spreadOf,
  thresholdRatioOf,
  verdictOf,
  type Figure,
  type Threshold,
} from './harness/figures.ts';
import { watchOtherCpu } from './harness/other-cpu.ts';
import {
  commit,
  isFromThisRun,
  machine,
  readResults,
  versions,
  writeResult,
  type Result,
} from './harness/results.ts';
import { readServers } from './harness/servers.ts';
import { writePage } from './report/page.ts';
import { SCENARIOS } from './scenarios.ts';

const DEFAULT_ROUNDS = 5;
const LATENCIES = Object.keys(SCENARIOS).filter((name) => name.startsWith('latency-'));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
    /** After each scenario, write its result to `bench/results/` and regenerate the page. */
    save: { type: 'boolean', default: false },
    /** As `--save`, and skip the scenarios that are already saved for the same code, machine and versions. */
    resume: { type: 'boolean', default: false },
    /** Exit with code 1 if a threshold is missed. */
    strict: { type: 'boolean', default: false },
  },
});
const selected = positionals.flatMap((name) => (name === 'latency' ? LATENCIES : name));
const unknown = selected.filter((name) => !(name in SCENARIOS));
const rounds = Number(values.rounds);
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`usage: npm run bench -- [--rounds 5] [--save | --resume] [--strict] [scenario …]
         --save            write bench/results/ and the page after each scenario
         --resume          the same, and skip what is saved for the same code, machine and versions
         --strict          exit with code 1 if a threshold is missed
       npm run bench -- --report         write the page from bench/results/
       npm run bench -- --install-peers  build Centrifugo with Go and Sockudo with cargo, once
scenarios: ${Object.keys(SCENARIOS).join(', ')}
"latency" selects all latency scenarios; "profile" writes CPU profiles to .runtime/bench/profiles`);
  process.exit(2);
}

let missed = 0;
const versionsHere = versions(await readServers());
const isSaved = values.save || values.resume;
const saved = values.resume ? readResults() : new Map<string, Result>();
if (values.resume && commit().endsWith('+'))
  process.stderr.write('the measured code has uncommitted changes: no saved result counts\n');
for (const [scenario, { title, thresholds, run }] of Object.entries(SCENARIOS)) {
  if (selected.length > 0 && !selected.includes(scenario)) continue;
  const setup = { rounds, commit: commit(), machine: machine(), versions: versionsHere };
  const earlier = saved.get(scenario);
  if (earlier && isFromThisRun(earlier, setup)) {
    process.stderr.write(`${scenario}: already measured at ${setup.commit}\n`);
    print(earlier);
    continue;
  }
  process.stderr.write(`${scenario}: ${title}\n`);
  const otherCpuShare = watchOtherCpu();
  const findings = await run(rounds);
  const result: Result = {
    ...{ scenario, title, thresholds, ...setup, measuredAt: new Date().toISOString() },
    ...{ otherCpuShare: otherCpuShare(), ...findings },
  };
  print(result);
  if (!isSaved) continue;
  writeResult(result);
  // The page is written with each result, so that an interrupted run leaves both in step.
  await writePage();
}
process.exit(values.strict && missed > 0 ? 1 : 0);

/** Prints ratios first: absolute values depend on the machine and show only the order of magnitude. */
function print({ title, figures, thresholds, facts = {}, profiles = {}, otherCpuShare }: Result): void {
  const others =
    otherCpuShare === undefined
      ? ''
      : ` (other processes used ${Math.round(otherCpuShare * 100)}% of the CPU)`;
  console.log(`\n${title}${others}`);
  for (const figure of figures) {
    console.log(figure.name);
    console.table(rowsOf(figure));
  }
  for (const [name, value] of Object.entries(facts)) console.log(`${name}: ${value.toPrecision(4)}`);
  for (const threshold of thresholds) printThreshold(figures, threshold);
  for (const [name, { busy, byPackage }] of Object.entries(profiles)) {
    console.log(`${name}: busy ${Math.round(busy * 100)}%`);
    console.table(
      byPackage.slice(0, 12).map(({ what, share }) => ({ what, '%': Number((share * 100).toFixed(1)) })),
    );
  }
}

function rowsOf(figure: Figure): Record<string, Record<string, string>> {
  const [base] = figure.contenders;
  return Object.fromEntries(
    figure.contenders.map(({ name, values: own }) => [
      name,
      {
        ratio: ratioOf(figure, name, base!.name).value.toFixed(3),
        median: median(own).toPrecision(4),
        spread: spreadOf(own).toFixed(2),
      },
    ]),
  );
}

function printThreshold(figures: Figure[], threshold: Threshold): void {
  const ratio = thresholdRatioOf(figures, threshold);
  const verdict = ratio ? verdictOf(ratio.value, threshold) : 'NOT MEASURED';
  if (verdict === 'MISSED') missed += 1;
  const target = threshold.target === undefined ? '' : `, target ${threshold.target}`;
  const value = ratio ? `${ratio.value.toFixed(3)} ` : '';
  console.log(`${verdict}: ${threshold.claim}: ${value}(${threshold.bound} ${threshold.threshold}${target})`);
}
