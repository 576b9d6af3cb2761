import { expect, test } from '@jest/globals';
import { DEFAULTS } from './options.ts';
import { report } from './report.ts';
import { runChaos } from './run-chaos.ts';

test('150 emissions under random faults, with the sweep off: none is lost, no screen goes back, and every screen ends equal to the list', async () => {
  const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1e9));
  const printed: string[] = [];
  const result = await runChaos(
    {
      ...DEFAULTS,
      emissions: 150,
      seed,
      workers: 2,
      companies: 2,
      screens: 2,
      bots: 24,
      faultEveryMs: 1_200,
      settleTimeoutMs: 60_000,
    },
    (line) => printed.push(line),
  );
  if (result.violations.length > 0) throw new Error([...printed, ...report(result)].join('\n'));
  expect(result.accepted).toBeGreaterThanOrEqual(150);
  expect(result.published).toBe(result.accepted);
}, 240_000);
