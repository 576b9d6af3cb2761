import { copyWithMutation, remove } from '../mutations/run-mutation.ts';
import { CAPTURE_SAFEGUARDS } from './capture/safeguards.ts';
import { IDEMPOTENCY_SAFEGUARDS } from './idempotency/safeguards.ts';
import { ORDER_SAFEGUARDS } from './order/safeguards.ts';
import { runMain } from './run-main.ts';
import type { Safeguard } from './safeguard.ts';
import { SWEEP_SAFEGUARDS } from './sweep/safeguards.ts';

/** Time for one search. The longest took a minute, on a busy machine. */
const SECONDS = 300;
const FOUND = 1;
const SAFEGUARDS: readonly Safeguard[] = [
  ...IDEMPOTENCY_SAFEGUARDS,
  ...SWEEP_SAFEGUARDS,
  ...CAPTURE_SAFEGUARDS,
  ...ORDER_SAFEGUARDS,
];

/**
 * Removes one safeguard at a time from a copy of the code, and searches the copy.
 * @param words  only the safeguards whose name or scenario contains this text
 * @returns the number of safeguards without a counterexample
 */
export async function removeSafeguards(words: string, print: (line: string) => void): Promise<number> {
  let undetected = 0;
  const isSelected = ({ safeguard, scenario }: Safeguard): boolean =>
    safeguard.includes(words) || scenario.includes(words);
  for (const safeguard of SAFEGUARDS.filter(isSelected)) {
    const { code, lines } = await searchWithout(safeguard);
    if (code !== FOUND) undetected += 1;
    print(`${code === FOUND ? 'ok  ' : 'FAIL'} without “${safeguard.safeguard}”:`);
    for (const line of lines) print(`  ${line}`);
  }
  return undetected;
}

async function searchWithout(safeguard: Safeguard): Promise<{ code: number; lines: string[] }> {
  const dir = copyWithMutation(safeguard);
  const limits = ['--without', 'none', '--seconds', String(SECONDS)];
  const { code, output } = await runMain(['--scenario', safeguard.scenario, ...limits], dir);
  remove(dir);
  const lines = output.split('\n').filter((line) => line.startsWith('  ') || /^(FAIL|ok)|Error/.test(line));
  return { code: lines.some((line) => line.includes('→')) ? code : 0, lines };
}
