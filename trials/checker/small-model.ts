import { hashText } from './hash.ts';
import type { Model } from './search.ts';

/** A world after a step, and the invariant that the step broke. */
export interface Outcome<W> {
  world: W;
  violation?: string | undefined;
}

/** A step of a model whose states are JSON. */
export interface WorldStep<W> extends Outcome<W> {
  label: string;
  /** See `Successor`. */
  isSure: boolean;
}

/** A copy without one property. */
export function without<T extends object, K extends keyof T>(value: T, name: K): Omit<T, K> {
  const copy = { ...value };
  Reflect.deleteProperty(copy, name);
  return copy;
}

/** What may still happen, and how often. */
export type BudgetOf<Name extends string> = Partial<Record<Name, number>>;

/** The world after one use of its budget. Undefined if nothing is left. */
export function spend<Name extends string, W extends { budget: BudgetOf<Name> }>(
  world: W,
  name: Name,
): W | undefined {
  const left = world.budget[name] ?? 0;
  return left > 0 ? { ...world, budget: { ...world.budget, [name]: left - 1 } } : undefined;
}

/** Redis with a replica: what the replica has if it lags, else null. */
type Replicated<Stored> = Stored & {
  history: string;
  replica: Stored | null;
  budget: BudgetOf<'fail-over'>;
};

/** A replica stops to follow, and later replaces its master. `stored`: what Redis has now. */
export function addFailOver<Stored extends object, W extends Replicated<Stored>>(
  world: W,
  stored: Stored,
): WorldStep<W>[] {
  const { replica } = world;
  if (!replica) {
    if (!world.budget['fail-over']) return [];
    return [{ label: 'the replica stops to follow', isSure: false, world: { ...world, replica: stored } }];
  }
  const spent = spend<'fail-over', W>(world, 'fail-over');
  if (!spent) return [];
  const promoted = { ...spent, ...replica, replica: null, history: 'h2' };
  return [{ label: 'the replica is promoted', isSure: false, world: promoted }];
}

/** A model whose states are few: each step makes the whole next state. */
export function createSmallModel<W>(
  first: W,
  stepsOf: (world: W) => Promise<readonly WorldStep<W>[]>,
): Model<string> {
  return {
    first: JSON.stringify(first),
    async successorsOf(state) {
      const steps = await stepsOf(JSON.parse(state) as W);
      return steps.map(({ label, isSure, world, violation }) => {
        const text = JSON.stringify(world);
        return { label, isSure, violation, hash: hashText(text), next: () => text };
      });
    },
  };
}
