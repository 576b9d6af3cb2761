import { BURST_FAULTS } from './burst-faults.ts';
import { HIDDEN_FAULTS } from './hidden-faults.ts';
import { INPUT_FAULTS } from './input-faults.ts';
import { LOG_FAULTS } from './log-faults.ts';
import { MONGO_FAULTS } from './mongo-faults.ts';
import { POISON_FAULTS } from './poison-faults.ts';
import { PROCESS_FAULTS } from './process-faults.ts';
import { REDIS_FAULTS } from './redis-faults.ts';
import type { Scenario } from './scenario.ts';

/** The rows of the fault table, in order. */
export const SCENARIOS: readonly Scenario[] = [
  ...REDIS_FAULTS,
  ...MONGO_FAULTS,
  ...HIDDEN_FAULTS,
  ...INPUT_FAULTS,
  ...PROCESS_FAULTS,
  ...LOG_FAULTS,
  ...POISON_FAULTS,
  ...BURST_FAULTS,
];
