import { parseArgs } from 'node:util';
import { errorMessage } from '../../src/errors.ts';
import { type Mutation, MUTATIONS } from './mutations.ts';
import { copyWithMutation, remove, runTests } from './run-mutation.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const { values } = parseArgs({
  options: {
    /** Runs only the mutations whose safeguard, test file or test name contains this text. */
    only: { type: 'string', default: '' },
  },
});
const selected = MUTATIONS.filter(({ safeguard, test, name }) =>
  [safeguard, test, name].some((text) => text.includes(values.only)),
);

/** Mutations that no test detects, or whose tests did not run. */
const undetected: string[] = [];
for (const mutation of selected) {
  const { isDetected, outcome } = await tryMutation(mutation);
  if (!isDetected) undetected.push(`“${mutation.safeguard}”: ${outcome}`);
  print(`${isDetected ? 'ok  ' : 'FAIL'} without “${mutation.safeguard}”:`);
  print(`       ${mutation.test}: “${mutation.name}…” ${outcome}`);
}
print(`${selected.length - undetected.length} passed, ${undetected.length} failed`);
for (const line of undetected) print(`  ${line}`);
process.exit(undetected.length === 0 && selected.length > 0 ? 0 : 1);

/** Tests the code without one safeguard. An error, such as a missing report of jest, is an outcome too: the next mutation follows. */
async function tryMutation(mutation: Mutation): Promise<{ isDetected: boolean; outcome: string }> {
  let dir: string | undefined;
  try {
    dir = copyWithMutation(mutation);
    const { passed, failed, failure } = await runTests(dir, mutation);
    if (failed > 0) return { isDetected: true, outcome: `fails: ${failure}` };
    return { isDetected: false, outcome: passed > 0 ? 'still passes' : 'was not found' };
  } catch (error) {
    return { isDetected: false, outcome: `did not run: ${errorMessage(error)}` };
  } finally {
    if (dir !== undefined) remove(dir);
  }
}
