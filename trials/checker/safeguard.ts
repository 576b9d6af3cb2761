/** Code that a guarantee needs, how to remove it, and where its absence shows. */
export interface Safeguard {
  /** What the code guarantees while the safeguard is in place. */
  safeguard: string;
  file: string;
  /** Text that occurs exactly once in `file`, … */
  find: string;
  /** … and its replacement. */
  replace: string;
  /** The scenario in which the search must find a counterexample. */
  scenario: string;
}
