import { expect, test } from '@jest/globals';
import { runFuzz } from './run-fuzz.ts';
import { SURFACES, type SurfaceName } from './surfaces.ts';

test.each(Object.keys(SURFACES) as SurfaceName[])(
  'three seconds of random input to %s harm no process and no other company',
  async (surface) => {
    const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 1e9));
    const { executions, finding } = await runFuzz({ surface, minutes: 0.05, seed });
    expect(finding).toBeUndefined();
    expect(executions).toBeGreaterThan(0);
  },
  240_000,
);
