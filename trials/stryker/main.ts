import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ownRedis } from '../../test/harness/own-services.ts';
import { MUTATED_FILES } from './mutated-files.ts';
import { type FileResult, mutateFile, readResult } from './run-file.ts';

/**
 * `npm run test:stryker`: mutates the files of mutated-files.ts and prints the table of docs/reports/stryker.md, which includes the
 * last results of files that are not selected. Then it prints each mutant that no test detects.
 */
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const { values } = parseArgs({
  options: {
    /** Mutates only the files whose path contains this text; `none` mutates no file. */
    only: { type: 'string', default: '' },
  },
});
/** Percentage of mutants that tests must detect, over all files. */
const MIN_SCORE = 85;
/** Mutants that cannot run, such as those with an invalid regular expression, have other states. */
const STATES = ['Killed', 'Timeout', 'Survived', 'NoCoverage'];

const selected = MUTATED_FILES.filter(({ file }) => file.includes(values.only));
// Some tests run the scripts of the pipeline.
if (selected.length > 0) process.env['TEST_REDIS_URL'] = (await ownRedis()).url;
for (const mutated of selected) await mutateFile(mutated);

const results = MUTATED_FILES.flatMap(({ file }) => readResult(file) ?? []);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
print(`commit ${commit}, ${results.length} of ${MUTATED_FILES.length} files\n`);
print('| file | mutants | killed | timeout | survived | not covered | score |');
print('| --- | --- | --- | --- | --- | --- | --- |');
for (const result of results) print(rowOf(`\`${result.file}\``, [result]));
print(`${rowOf('all', results)}\n`);
results.filter(({ file }) => file.includes(values.only) || values.only === 'none').forEach(printUndetected);
process.exit(results.length === MUTATED_FILES.length && scoreOf(results) >= MIN_SCORE ? 0 : 1);

/** A row of the Markdown table. */
function rowOf(name: string, of: readonly FileResult[]): string {
  const counts = STATES.map((state) => count(of, [state]));
  return `| ${[name, count(of, STATES), ...counts, `${scoreOf(of).toFixed(1)} %`].join(' | ')} |`;
}

/** Detected mutants as a percentage of all that can run. */
function scoreOf(of: readonly FileResult[]): number {
  return (100 * count(of, ['Killed', 'Timeout'])) / count(of, STATES);
}

function count(of: readonly FileResult[], states: readonly string[]): number {
  return of.flatMap(({ mutants }) => mutants).filter(({ status }) => states.includes(status)).length;
}

function printUndetected({ file, mutants }: FileResult): void {
  for (const { status, location, mutatorName, replacement } of mutants) {
    if (status !== 'Survived' && status !== 'NoCoverage') continue;
    const { line, column } = location.start;
    print(`${file}:${line}:${column} ${status} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ')}`);
  }
}
