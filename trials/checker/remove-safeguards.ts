import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../../test/harness/child-env.ts';
import { copyWithMutation, remove } from '../mutations/run-mutation.ts';
import { ORDER_SAFEGUARDS, type OrderSafeguard } from './safeguards.ts';

/** Time for one search. The longest took a minute, on a busy machine. */
const SECONDS = 300;
const FOUND = 1;

/**
 * Removes one safeguard at a time from a copy of the code, and searches the copy.
 * @param words  only the safeguards whose name contains this text
 * @returns the number of safeguards without a counterexample
 */
export async function removeSafeguards(words: string, print: (line: string) => void): Promise<number> {
  let undetected = 0;
  for (const safeguard of ORDER_SAFEGUARDS) {
    if (!safeguard.safeguard.includes(words)) continue;
    const { code, lines } = await searchWithout(safeguard);
    if (code !== FOUND) undetected += 1;
    print(`${code === FOUND ? 'ok  ' : 'FAIL'} without “${safeguard.safeguard}”:`);
    for (const line of lines) print(`  ${line}`);
  }
  return undetected;
}

async function searchWithout(safeguard: OrderSafeguard): Promise<{ code: number; lines: string[] }> {
  const dir = copyWithMutation(safeguard);
  const search = spawn(
    process.execPath,
    [
      ...SOURCE_ARGS,
      'trials/checker/main.ts',
      ...['--scenario', safeguard.scenario, '--without', 'none', '--seconds', String(SECONDS)],
    ],
    { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], env: childEnv() },
  );
  let output = '';
  for (const stream of [search.stdout, search.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(search, 'close')) as [number];
  remove(dir);
  const lines = output.split('\n').filter((line) => line.startsWith('  ') || /^(FAIL|ok)|Error/.test(line));
  return { code: lines.some((line) => line.includes('→')) ? code : 0, lines };
}
