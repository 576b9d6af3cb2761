import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRandom } from '../chaos/random.ts';
import { CHECKS, type Check } from './checks.ts';
import { removeSafeguards } from './remove-safeguards.ts';
import type { Counterexample } from './search.ts';

/**
 * `npm run check:order`: visits the states of scenarios, in an order that a seed decides, until the time is over. Then it removes
 * one safeguard at a time and expects a counterexample.
 */
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const { values } = parseArgs({
  options: {
    /** Time for all scenarios together. */
    seconds: { type: 'string', default: '300' },
    /** Most states of one scenario. */
    states: { type: 'string', default: '2000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    /** Only the scenarios whose name contains this text. */
    only: { type: 'string', default: '' },
    /** Only the scenario with this name. */
    scenario: { type: 'string' },
    /** A file of results: scenarios that it has are not searched again, and new results are added. */
    results: { type: 'string' },
    /** Only the safeguards whose name or scenario contains this text are removed; `none` removes none. */
    without: { type: 'string', default: '' },
  },
});

const isSelected = ({ name }: { name: string }): boolean =>
  values.scenario === undefined ? name.includes(values.only) : name === values.scenario;
const checks = inRandomOrder(CHECKS.filter(isSelected), Number(values.seed));
const found = await searchAll(checks);
const undetected = values.without === 'none' ? 0 : await removeSafeguards(values.without, print);
process.exit(found + undetected === 0 && (checks.length > 0 || values.scenario === 'none') ? 0 : 1);

/** @returns the number of counterexamples */
async function searchAll(all: readonly Check[]): Promise<number> {
  print(`seed ${values.seed}`);
  const known = knownResults(values.results);
  const endsAt = performance.now() + Number(values.seconds) * 1_000;
  const totals = { states: 0, complete: 0, begun: 0, counterexamples: 0 };
  for (const check of all.filter(({ name }) => !known.has(name))) {
    const maxMs = endsAt - performance.now();
    if (maxMs <= 0) break;
    const { states, depth, isComplete, tookMs, counterexample } = await check.run({
      maxStates: Number(values.states),
      maxMs,
    });
    totals.begun += 1;
    totals.states += states;
    if (isComplete) totals.complete += 1;
    const isCutShort = !isComplete && !counterexample && states < Number(values.states) && totals.begun > 1;
    if (values.results !== undefined && !isCutShort) {
      const found = { name: check.name, states, depth, isComplete, isBroken: counterexample !== undefined };
      appendFileSync(values.results, `${JSON.stringify(found satisfies SavedResult)}\n`);
    }
    const extent = isComplete ? 'all' : 'not all';
    print(
      `${counterexample ? 'FAIL' : 'ok  '} ${check.name}: ${states.toLocaleString('en')} states (${extent}), ` +
        `${depth} steps, ${(tookMs / 1_000).toFixed(1)} s`,
    );
    if (!counterexample) continue;
    totals.counterexamples += 1;
    printCounterexample(counterexample);
  }
  print(
    `${totals.states.toLocaleString('en')} states in ${totals.begun} of ${all.length} scenarios, ` +
      `${totals.complete} of them completely; ${totals.counterexamples} counterexamples`,
  );
  return totals.counterexamples;
}

/** The result of a scenario, as a line of a file. */
interface SavedResult {
  name: string;
  states: number;
  depth: number;
  isComplete: boolean;
  isBroken: boolean;
}

/** Names of the scenarios in a file of results. */
function knownResults(file: string | undefined): Set<string> {
  if (file === undefined || !existsSync(file)) return new Set();
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return new Set(lines.map((line) => (JSON.parse(line) as SavedResult).name));
}

function printCounterexample({ steps, violation }: Counterexample): void {
  steps.forEach((step, index) => {
    print(`  ${String(index + 1).padStart(3)}. ${step}`);
  });
  print(`       → ${violation}`);
}

/** Groups in their order, each in an order that the seed decides. */
function inRandomOrder(all: readonly Check[], seed: number): Check[] {
  const random = createRandom(seed, 'order of scenarios');
  const groups = [...new Set(all.map(({ group }) => group))];
  return all
    .map((check) => ({ check, at: groups.indexOf(check.group) + random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ check }) => check);
}
