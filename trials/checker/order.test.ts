import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { childEnv } from '../../test/harness/child-env.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';

async function checkOrder(...args: string[]): Promise<{ code: number; output: string }> {
  const env = childEnv({ TEST_RUN_DIR: process.env['TEST_RUN_DIR'] });
  const check = spawn(process.execPath, [...SOURCE_ARGS, 'trials/checker/main.ts', ...args], { env });
  let output = '';
  for (const stream of [check.stdout, check.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(check, 'close')) as [number];
  return { code, output };
}

test('with small bounds no interleaving of a pair of faults breaks the order', async () => {
  const { code, output } = await checkOrder(
    '--size',
    'small',
    '--seconds',
    '30',
    '--seed',
    '1',
    '--without',
    'none',
  );
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('; 0 counterexamples') });
});

test('without the check of the order token the search prints a run in which a screen goes back', async () => {
  const { output } = await checkOrder(
    '--size',
    'small',
    '--only',
    'one company: no fault',
    '--without',
    'is not published',
  );
  expect(output).toMatch(/ok {2}without “a snapshot whose order token has changed is not published”/);
  expect(output).toMatch(/→ the screen goes back: appointment \d from version \d to version \d/);
});
