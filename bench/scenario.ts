import type { Figure, Threshold } from './harness/figures.ts';
import type { ProfileTable } from './harness/cpu-profile.ts';

/** The contender in which Express reads and Centrifugo delivers. */
export const EXPRESS_CENTRIFUGO = 'Express + Centrifugo';
/** The contender in which Express reads and Sockudo delivers. */
export const EXPRESS_SOCKUDO = 'Express + Sockudo';

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
