import { type Bounds, emptyState, layoutOf, type State, withBudget } from './order/state.ts';
import { createSuccessors, type Successor } from './order/successors.ts';
import { createVisited } from './visited.ts';

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

type SuccessorsOf = ReturnType<typeof createSuccessors>;

/**
 * Visits all states that can be reached within some bounds, those with fewer steps first. At the end it checks that each of them
 * leads to a state in which nothing is left to do.
 */
export async function search(bounds: Bounds, { maxStates, maxMs }: SearchLimits): Promise<SearchResult> {
  const startedAt = performance.now();
  const layout = layoutOf(bounds);
  const successorsOf = createSuccessors(layout, bounds);
  const first = withBudget(await firstState(bounds), layout, bounds);
  const visited = createVisited();
  let level = [{ state: first, index: 0 }];
  const result = (depth: number, isComplete: boolean): SearchResult => ({
    states: visited.size,
    depth,
    isComplete,
    tookMs: performance.now() - startedAt,
  });
  const counterexampleTo = async (path: readonly number[], violation: string): Promise<Counterexample> => ({
    steps: await describePath(successorsOf, first, path),
    violation,
  });

  for (let depth = 0; level.length > 0; depth += 1) {
    const nextLevel: typeof level = [];
    for (const { state, index } of level) {
      const successors = await successorsOf(state);
      let isSettled = true;
      for (const [choice, { step, hash, next }] of successors.entries()) {
        if (step.violation !== undefined) {
          const counterexample = await counterexampleTo([...visited.pathTo(index), choice], step.violation);
          return { ...result(depth + 1, false), counterexample };
        }
        const { index: nextIndex, isNew } = visited.add(hash, index, choice);
        if (step.isSure) {
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

/** The dashboards have loaded their lists, are connected, and nothing is left to do. */
async function firstState(bounds: Bounds): Promise<State> {
  const layout = layoutOf(bounds);
  const successorsOf = createSuccessors(layout, bounds);
  let state = emptyState(layout, bounds);
  for (;;) {
    const [successor] = await successorsOf(state);
    if (!successor) return state;
    const { step, next } = successor;
    if (step.violation !== undefined) throw new Error(`at the start: ${step.violation}`);
    state = next();
  }
}

async function describePath(
  successorsOf: SuccessorsOf,
  first: State,
  path: readonly number[],
): Promise<string[]> {
  const labels: string[] = [];
  let state = first;
  let areExchanged = false;
  for (const choice of path) {
    const { step, isExchanged, next } = (await successorsOf(state))[choice] as Successor;
    labels.push(areExchanged ? exchangeWorkers(step.label) : step.label);
    areExchanged = areExchanged !== isExchanged;
    state = next();
  }
  return labels;
}

const exchangeWorkers = (label: string): string =>
  label.replace(/^worker ([12])/, (_, number) => `worker ${3 - Number(number)}`);
