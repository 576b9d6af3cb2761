import type { Figure, Threshold } from './harness/figures.ts';
import type { ProfileTable } from './harness/cpu-profile.ts';

/** The measurements of one scenario. */
export interface Findings {
  figures: Figure[];
  /** Single values outside the comparison, with their units: `memory of a waiting job in Redis, B`. */
  facts?: Record<string, number>;
  /** CPU profiles by process. */
  profiles?: Record<string, ProfileTable>;
}

export interface Scenario {
  title: string;
  thresholds: Threshold[];
  run: (rounds: number) => Promise<Findings>;
}
