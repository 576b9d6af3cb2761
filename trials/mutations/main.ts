import { parseArgs } from 'node:util';
import { MUTATIONS } from './mutations.ts';
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

let undetected = 0;
for (const mutation of selected) {
  const dir = copyWithMutation(mutation);
  const { passed, failed, failure } = await runTests(dir, mutation);
  remove(dir);
  const isDetected = failed > 0;
  if (!isDetected) undetected += 1;
  print(`${isDetected ? 'ok  ' : 'FAIL'} without “${mutation.safeguard}”:`);
  print(`       ${mutation.test}: “${mutation.name}…” ${outcome(passed, failed, failure)}`);
}
print(`${selected.length - undetected} passed, ${undetected} failed`);
process.exit(undetected === 0 && selected.length > 0 ? 0 : 1);

function outcome(passed: number, failed: number, failure: string): string {
  if (failed > 0) return `fails: ${failure}`;
  return passed > 0 ? 'still passes' : 'was not found';
}
