import { faultSetsOf, singlesOf } from '../fault-sets.ts';
import { type Bounds, type Fault, FAULTS } from './world.ts';

/**
 * After a loss of Redis the dashboards load their lists again, which this model does not have. So there each content is new: an
 * order key that is older than the screen always differs from the database.
 */
const LOSSES: readonly Fault[] = ['flush', 'fail-over'];

const FAULT_SETS: Record<Bounds['writes'], readonly (readonly Fault[])[]> = {
  'one write': faultSetsOf(FAULTS),
  'two writes': singlesOf(FAULTS),
  'changed back': faultSetsOf(FAULTS.filter((fault) => !LOSSES.includes(fault))),
};

export const CAPTURE_SCENARIOS: readonly (Bounds & { name: string })[] = Object.entries(FAULT_SETS).flatMap(
  ([writes, faultSets]) =>
    faultSets.map((faults) => ({
      writes: writes as Bounds['writes'],
      faults,
      name: `capture, ${writes}: ${faults.length > 0 ? faults.join(' and ') : 'no fault'}`,
    })),
);
