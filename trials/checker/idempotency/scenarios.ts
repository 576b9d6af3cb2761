import { faultSetsOf, singlesOf } from '../fault-sets.ts';
import type { Body } from './request.ts';
import { type Bounds, type Fault, FAULTS } from './world.ts';

/** The requests with one key, in the order in which they begin, and the faults beside them. */
const REQUESTS: readonly { bodies: readonly Body[]; faultSets: readonly (readonly Fault[])[] }[] = [
  { bodies: ['X', 'X', 'X'], faultSets: faultSetsOf(FAULTS) },
  { bodies: ['X', 'X', 'Y'], faultSets: singlesOf(FAULTS) },
  { bodies: ['X', 'Y', 'X'], faultSets: singlesOf(FAULTS) },
  {
    bodies: ['batch', 'batch', 'batch'],
    faultSets: faultSetsOf(FAULTS).filter((faults) => faults.length < 2 || faults.includes('trimming')),
  },
  { bodies: ['batch', 'other', 'batch'], faultSets: singlesOf(FAULTS) },
];

export const IDEMPOTENCY_SCENARIOS: readonly (Bounds & { name: string })[] = REQUESTS.flatMap(
  ({ bodies, faultSets }) =>
    faultSets.map((faults) => ({
      bodies,
      faults,
      name: `idempotency, ${bodies.join(' ')}: ${faults.length > 0 ? faults.join(' and ') : 'no fault'}`,
    })),
);
