import { parseArgs } from 'node:util';
import { CONTROLS } from './controls.ts';
import { copyWithout, remove, runTests } from './run-control.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const { values } = parseArgs({
  options: {
    /** Defences, test files or names of tests that hold this. */
    only: { type: 'string', default: '' },
  },
});
const chosen = CONTROLS.filter(({ defence, test, name }) =>
  [defence, test, name].some((words) => words.includes(values.only)),
);

let failed = 0;
for (const control of chosen) {
  const dir = copyWithout(control);
  const { passed, failed: red, says } = await runTests(dir, control);
  remove(dir);
  const isFoundOut = red > 0;
  if (!isFoundOut) failed += 1;
  say(`${isFoundOut ? 'ok  ' : 'FAIL'} without “${control.defence}”:`);
  say(`       ${control.test}: “${control.name}…” ${verdict(passed, red, says)}`);
}
say(`${chosen.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 && chosen.length > 0 ? 0 : 1);

function verdict(passed: number, red: number, says: string): string {
  if (red > 0) return `is red: ${says}`;
  return passed > 0 ? 'does not notice' : 'was not found';
}
