import type { Hash } from './hash.ts';
import { createVisited } from './visited.ts';

/** A step from a state. The state that it leads to is made only if it is needed. */
export interface Successor<S> {
  /** What happens, in words. */
  label: string;
  /** True if it happens sooner or later. Writes, requests of users and faults need not happen. */
  isSure: boolean;
  /** The invariant that the step breaks. */
  violation: string | undefined;
  hash: Hash;
  next: () => S;
}

/** The states of a part of the project, and the steps between them. */
export interface Model<S, T extends Successor<S> = Successor<S>> {
  first: S;
  successorsOf: (state: S) => Promise<readonly T[]>;
  /** The labels of consecutive steps. */
  describe?: (taken: readonly T[]) => string[];
}

export interface SearchLimits {
  maxStates: number;
  maxMs: number;
}

export interface SearchResult {
  states: number;
  /** Number of steps to the states that were found last. */
  depth: number;
  /** True if all states within the bounds were visited. */
  isComplete: boolean;
  tookMs: number;
  /** The shortest run that breaks an invariant. */
  counterexample?: Counterexample;
}

export interface Counterexample {
  /** What happened, step by step. */
  steps: string[];
  violation: string;
}

/**
 * Visits all states of a model, those with fewer steps first. At the end it checks that each of them
 * leads to a state in which nothing is left to do.
 */
export async function search<S, T extends Successor<S>>(
  model: Model<S, T>,
  { maxStates, maxMs }: SearchLimits,
): Promise<SearchResult> {
  const { first, successorsOf } = model;
  const startedAt = performance.now();
  const visited = createVisited();
  let level = [{ state: first, index: 0 }];
  const result = (depth: number, isComplete: boolean): SearchResult => ({
    states: visited.size,
    depth,
    isComplete,
    tookMs: performance.now() - startedAt,
  });
  const counterexampleTo = async (path: readonly number[], violation: string): Promise<Counterexample> => ({
    steps: await describePath(model, path),
    violation,
  });

  for (let depth = 0; level.length > 0; depth += 1) {
    const nextLevel: typeof level = [];
    for (const { state, index } of level) {
      const successors = await successorsOf(state);
      let isSettled = true;
      for (const [choice, { isSure, violation, hash, next }] of successors.entries()) {
        if (violation !== undefined) {
          const counterexample = await counterexampleTo([...visited.pathTo(index), choice], violation);
          return { ...result(depth + 1, false), counterexample };
        }
        const { index: nextIndex, isNew } = visited.add(hash, index, choice);
        if (isSure) {
          visited.addEdge(index, nextIndex);
          isSettled = false;
        }
        if (isNew) nextLevel.push({ state: next(), index: nextIndex });
      }
      if (isSettled) visited.addSettled(index);
      if (visited.size >= maxStates || performance.now() - startedAt > maxMs) return result(depth, false);
    }
    level = nextLevel;
    if (level.length > 0) continue;
    const stuck = visited.findStuck();
    if (stuck === undefined) return result(depth, true);
    const counterexample = await counterexampleTo(visited.pathTo(stuck), 'from here it never comes to rest');
    return { ...result(depth, true), counterexample };
  }
  return result(0, true);
}

async function describePath<S, T extends Successor<S>>(
  { first, successorsOf, describe }: Model<S, T>,
  path: readonly number[],
): Promise<string[]> {
  const taken: T[] = [];
  let state = first;
  for (const choice of path) {
    const successor = (await successorsOf(state))[choice] as T;
    taken.push(successor);
    state = successor.next();
  }
  return describe ? describe(taken) : taken.map(({ label }) => label);
}
