import type { Figure, Must } from './harness/figures.ts';
import type { ProfileTable } from './harness/cpu-profile.ts';

/** What one scenario found out. */
export interface Findings {
  figures: Figure[];
  /** Facts beside the comparison, with their units: `memory a waiting job, B`. */
  facts?: Record<string, number>;
  /** Where the time of a process goes. */
  profiles?: Record<string, ProfileTable>;
}

export interface Scenario {
  title: string;
  musts: Must[];
  run: (rounds: number) => Promise<Findings>;
}
