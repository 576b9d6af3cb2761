import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../../test/harness/child-env.ts';

/** Runs `npm run check:order` and returns what it prints. */
async function checkOrder(...args: string[]): Promise<string> {
  const env = childEnv({ TEST_RUN_DIR: process.env['TEST_RUN_DIR'] });
  const check = spawn(process.execPath, [...SOURCE_ARGS, 'trials/checker/main.ts', ...args], { env });
  let output = '';
  for (const stream of [check.stdout, check.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(check, 'close');
  return output;
}

test('in the first scenarios no interleaving of two faults breaks the order', async () => {
  const limits = ['--seconds', '20', '--states', '20000', '--seed', '1'];
  const output = await checkOrder('--only', ', writes: ', ...limits, '--without', 'none');
  expect(output).toMatch(
    /states in [1-9]\d* of 80 scenarios, [1-9]\d* of them completely; 0 counterexamples/,
  );
});

test('without the check of the order token the search prints a run in which a screen goes back', async () => {
  const output = await checkOrder(
    '--scenario',
    'none',
    '--without',
    'order token has changed is not published',
  );
  expect(output).toMatch(/ok {3}without “a snapshot whose order token has changed is not published”/);
  expect(output).toMatch(/→ the screen goes back: appointment \d from version \d to version \d/);
});
