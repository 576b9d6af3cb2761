import { CAPTURE_SCENARIOS } from './capture/scenarios.ts';
import { createCaptureModel } from './capture/steps.ts';
import { IDEMPOTENCY_SCENARIOS } from './idempotency/scenarios.ts';
import { createIdempotencyModel } from './idempotency/steps.ts';
import { createOrderModel } from './order/model.ts';
import { SCENARIOS } from './order/scenarios.ts';
import { SWEEP_SCENARIOS } from './sweep/scenarios.ts';
import { createSweepModel } from './sweep/steps.ts';
import { search, type SearchLimits, type SearchResult } from './search.ts';

/** A search with a name. */
export interface Check {
  name: string;
  /** Checks of one group are searched together. */
  group: string;
  run: (limits: SearchLimits) => Promise<SearchResult>;
}

/** All checks, those with fewer states first. */
export const CHECKS: readonly Check[] = [
  ...IDEMPOTENCY_SCENARIOS.map(({ name, ...bounds }): Check => {
    return { name, group: 'idempotency', run: (limits) => search(createIdempotencyModel(bounds), limits) };
  }),
  ...SWEEP_SCENARIOS.map(({ name, ...bounds }): Check => {
    return { name, group: 'sweep', run: (limits) => search(createSweepModel(bounds), limits) };
  }),
  ...CAPTURE_SCENARIOS.map(({ name, ...bounds }): Check => {
    return {
      name,
      group: 'capture',
      run: async (limits) => search(await createCaptureModel(bounds), limits),
    };
  }),
  ...SCENARIOS.map((bounds): Check => {
    const { name, extent } = bounds;
    return { name, group: extent, run: async (limits) => search(await createOrderModel(bounds), limits) };
  }),
];
