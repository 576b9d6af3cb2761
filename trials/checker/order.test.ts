import { expect, test } from '@jest/globals';
import { runMain } from './run-main.ts';

test('in the first scenarios no interleaving of two faults breaks the order', async () => {
  const limits = ['--seconds', '20', '--states', '20000', '--seed', '1'];
  const { output } = await runMain(['--only', ', writes: ', ...limits, '--without', 'none']);
  expect(output).toMatch(
    /states in [1-9]\d* of 80 scenarios, [1-9]\d* of them completely; 0 counterexamples/,
  );
});

test.each([
  ['a snapshot whose order token has changed is not published', /the screen goes back: appointment \d from/],
  ['a repetition gets the nonce of the first attempt', /one key gives two emissions within its life/],
  ['sweeps overlap', /the watermark passes appointment \d, which was not announced/],
  ['a lost history is reported', /the last write of appointment \d is never shown/],
])('without “%s” the search prints a run that breaks an invariant', async (safeguard, violation) => {
  const { output } = await runMain(['--scenario', 'none', '--without', safeguard]);
  expect(output).toContain(`ok   without “${safeguard}”`);
  expect(output).toMatch(violation);
});
