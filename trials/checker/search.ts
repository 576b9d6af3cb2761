import { hashOf } from './parts.ts';
import { type Bounds, emptyState, layoutOf, type State, withBudget } from './state.ts';
import type { Step } from './step.ts';
import { createModel } from './steps.ts';

export interface SearchLimits {
  maxStates: number;
  maxMs: number;
}

export interface SearchResult {
  states: number;
  /** States in which nothing was left to do. */
  settled: number;
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

type Model = ReturnType<typeof createModel>;

/**
 * Visits all states that can be reached within some bounds, those with fewer steps first. At the end it checks that each of them
 * leads to a state in which nothing is left to do.
 */
export async function search(bounds: Bounds, { maxStates, maxMs }: SearchLimits): Promise<SearchResult> {
  const startedAt = performance.now();
  const layout = layoutOf(bounds);
  const model = createModel(layout, bounds);
  const first = withBudget(await firstState(bounds), layout, bounds);
  const visited = createVisited();
  visited.add(hashOf(first), -1, -1);
  let level: { state: State; index: number }[] = [{ state: first, index: 0 }];
  const result = (depth: number, isComplete: boolean): SearchResult => ({
    states: visited.size,
    settled: visited.settled,
    depth,
    isComplete,
    tookMs: performance.now() - startedAt,
  });
  const counterexampleTo = async (path: readonly number[], violation: string): Promise<Counterexample> => ({
    steps: await describePath(model, first, path),
    violation,
  });

  for (let depth = 0; level.length > 0; depth += 1) {
    const nextLevel: typeof level = [];
    for (const { state, index } of level) {
      const steps = await model.stepsFrom(state);
      for (const [choice, { next, violation, isSure }] of steps.entries()) {
        if (violation !== undefined) {
          const counterexample = await counterexampleTo([...visited.pathTo(index), choice], violation);
          return { ...result(depth + 1, false), counterexample };
        }
        const { index: nextIndex, isNew } = visited.add(hashOf(next), index, choice);
        if (isSure) visited.addEdge(index, nextIndex);
        if (isNew) nextLevel.push({ state: next, index: nextIndex });
      }
      if (!steps.some(({ isSure }) => isSure)) visited.addSettled(index);
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

/** Hashes of the states that were visited, and how each was reached. */
function createVisited() {
  const indices = new Map<number, number>();
  const parents: number[] = [];
  const choices: number[] = [];
  const edges: { from: number[]; to: number[] } = { from: [], to: [] };
  const settled: number[] = [];
  return {
    get size() {
      return parents.length;
    },
    get settled() {
      return settled.length;
    },
    add(hash: number, parent: number, choice: number): { index: number; isNew: boolean } {
      const known = indices.get(hash);
      if (known !== undefined) return { index: known, isNew: false };
      const index = parents.push(parent) - 1;
      choices.push(choice);
      indices.set(hash, index);
      return { index, isNew: true };
    },
    /** A step that happens sooner or later. */
    addEdge(from: number, to: number): void {
      edges.from.push(from);
      edges.to.push(to);
    },
    addSettled(index: number): void {
      settled.push(index);
    },
    /** The steps that lead to a state, as indices into the steps of each state. */
    pathTo(index: number): number[] {
      const path: number[] = [];
      for (let at = index; at > 0; at = parents[at] as number) path.unshift(choices[at] as number);
      return path;
    },
    /** The first state from which sure steps lead to no settled state. */
    findStuck(): number | undefined {
      const reached = reachBackwards(parents.length, edges, settled);
      const stuck = reached.indexOf(0);
      return stuck < 0 ? undefined : stuck;
    },
  };
}

/** Marks with 1 the states from which edges lead to one of the targets. */
function reachBackwards(
  states: number,
  edges: { from: readonly number[]; to: readonly number[] },
  targets: readonly number[],
): Uint8Array {
  // The edges into each state, as a linked list.
  const newest = new Int32Array(states).fill(-1);
  const earlier = new Int32Array(edges.to.length);
  edges.to.forEach((to, edge) => {
    earlier[edge] = newest[to] as number;
    newest[to] = edge;
  });
  const reached = new Uint8Array(states);
  const open = [...targets];
  for (const target of targets) reached[target] = 1;
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (let edge = newest[state] as number; edge >= 0; edge = earlier[edge] as number) {
      const from = edges.from[edge] as number;
      if (reached[from]) continue;
      reached[from] = 1;
      open.push(from);
    }
  }
  return reached;
}

/** The dashboards have loaded their lists, are connected, and nothing is left to do. */
async function firstState(bounds: Bounds): Promise<State> {
  const layout = layoutOf(bounds);
  const model = createModel(layout, bounds);
  let state = emptyState(layout, bounds);
  for (;;) {
    const [step] = await model.stepsFrom(state);
    if (!step) return state;
    if (step.violation !== undefined) throw new Error(`at the start: ${step.violation}`);
    state = step.next;
  }
}

async function describePath(model: Model, first: State, path: readonly number[]): Promise<string[]> {
  const labels: string[] = [];
  let state = first;
  for (const choice of path) {
    const step = (await model.stepsFrom(state))[choice] as Step;
    labels.push(step.label);
    state = step.next;
  }
  return labels;
}
