import { expect, test } from '@jest/globals';
import { runMain } from './run-main.ts';

test.each([
  'idempotency, X X X: no fault',
  'sweep, a write on time: no fault',
  'capture, one write: no fault',
])('no interleaving of “%s” breaks an invariant', async (scenario) => {
  const { code, output } = await runMain(['--scenario', scenario, '--without', 'none', '--seed', '1']);
  expect(output).toMatch(/in 1 of 1 scenarios, 1 of them completely; 0 counterexamples/);
  expect(code).toBe(0);
});
