import { faultSetsOf, singlesOf } from '../fault-sets.ts';
import { type Bounds, FAULTS } from './world.ts';

/** When bots write, by their clocks. */
const WRITES: Record<string, Omit<Bounds, 'faults' | 'writes'>> = {
  'on time': { skewMs: -10_000, sweepers: 'two that forget' },
  '4 minutes late': { skewMs: -4 * 60_000, sweepers: 'two that forget' },
  '10 minutes late': { skewMs: -10 * 60_000, sweepers: 'one that remembers' },
  '10 minutes early': { skewMs: 10 * 60_000, sweepers: 'one that remembers' },
};

/** One write with each pair of faults, two with each fault. */
export const SWEEP_SCENARIOS: readonly (Bounds & { name: string })[] = Object.entries(WRITES).flatMap(
  ([when, written]) => [
    ...faultSetsOf(FAULTS).map((faults) => toScenario({ ...written, writes: 1, faults }, when)),
    ...singlesOf(FAULTS).map((faults) => toScenario({ ...written, writes: 2, faults }, when)),
  ],
);

function toScenario(bounds: Bounds, when: string): Bounds & { name: string } {
  const { writes, faults } = bounds;
  const what = `${writes === 1 ? 'a write' : 'two writes'} ${when}`;
  return { ...bounds, name: `sweep, ${what}: ${faults.length > 0 ? faults.join(' and ') : 'no fault'}` };
}
