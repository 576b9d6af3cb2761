import fc from 'fast-check';
import type { Target } from './target.ts';

/** Sends one input and checks the target; during shrinking also after a failure. */
type Execute = (send: () => Promise<void>) => Promise<void>;

type RoundParameters = Required<Pick<fc.Parameters, 'seed' | 'numRuns' | 'interruptAfterTimeLimit'>>;

export interface RoundDetails {
  failed: boolean;
  runs: number;
  /** The smallest failing input. */
  input: unknown;
  error: string;
}

/** A place where input reaches the processes. */
export interface Surface {
  round: (parameters: RoundParameters, execute: Execute) => Promise<RoundDetails>;
}

/** Opens a surface of a target. */
export type OpenSurface = (target: Target) => Surface | Promise<Surface>;

/** @param send  sends an input; throws if an answer is wrong */
export function surfaceOf<Input>(
  inputs: fc.Arbitrary<Input>,
  send: (input: Input) => Promise<unknown>,
): Surface {
  return {
    async round(parameters, execute) {
      const property = fc.asyncProperty(inputs, (input) =>
        execute(async () => {
          await send(input);
        }),
      );
      const { failed, numRuns, counterexample, errorInstance } = await fc.check(property, parameters);
      return { failed, runs: numRuns, input: counterexample?.[0], error: String(errorInstance) };
    },
  };
}
