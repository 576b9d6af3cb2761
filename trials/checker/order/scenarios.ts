import { faultSetsOf } from '../fault-sets.ts';
import { type Bounds, type Fault, FAULTS } from './state.ts';

/** Bounds of one search, with a name. */
export interface Scenario extends Bounds {
  name: string;
  extent: Extent;
}

/** What happens besides two writes, which two workers publish to a dashboard of each company. */
const EXTENTS = {
  writes: { lists: 0, cuts: 0, batches: false },
  /** A user requests a list. */
  list: { lists: 1, cuts: 0, batches: false },
  /** A connection is cut: the dashboard reconnects and gets a replay. */
  replay: { lists: 0, cuts: 1, batches: false },
  /** All of this; a worker may also publish several jobs as a batch. */
  full: { lists: 1, cuts: 1, batches: true },
} as const;
export type Extent = keyof typeof EXTENTS;

const WRITES = 2;

/**
 * Two appointments: of one company, so that they share the company log, or of two. Companies share no key: what happens to one of
 * two also happens to one alone, unless an emission names the wrong one.
 */
const COMPANIES: Record<string, { companyOf: readonly (0 | 1)[]; faultSets: (readonly Fault[])[] }> = {
  'one company': {
    companyOf: [0, 0],
    faultSets: faultSetsOf(FAULTS.filter((fault) => fault !== 'wrong-company')),
  },
  'two companies': {
    companyOf: [0, 1],
    faultSets: faultSetsOf(FAULTS).filter(
      (faults) => faults.length === 0 || faults.includes('wrong-company'),
    ),
  },
};

/** All combinations, those with fewer states first. */
export const SCENARIOS: readonly Scenario[] = (Object.keys(EXTENTS) as Extent[]).flatMap((extent) =>
  Object.entries(COMPANIES).flatMap(([companies, { companyOf, faultSets }]) =>
    faultSets.map((faults) => ({
      ...EXTENTS[extent],
      // Batches are of one company: the claims of several are concurrent.
      batches: EXTENTS[extent].batches && companies === 'one company',
      companyOf,
      faults,
      writes: WRITES,
      extent,
      name: `${companies}, ${extent}: ${faults.length > 0 ? faults.join(' and ') : 'no fault'}`,
    })),
  ),
);
