import { hashText } from './hash.ts';
import type { Model } from './search.ts';

/** A step of a model whose states are JSON. */
export interface WorldStep<W> {
  label: string;
  world: W;
  /** See `Successor`. */
  isSure: boolean;
  violation?: string | undefined;
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
