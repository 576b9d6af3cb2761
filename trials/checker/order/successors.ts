import { createHash, type Hash } from '../hash.ts';
import type { Successor } from '../search.ts';
import { FIRST_FRESH_ID, type Part, renumber } from './parts.ts';
import type { Bounds, Layout, State } from './state.ts';
import { type Context, isEmpty, partAt, type Step } from './step.ts';
import { settle, type StepGroup, stepGroups } from './steps.ts';

export interface OrderSuccessor extends Successor<State> {
  /** True if the two workers exchange their names: states that differ only in these are one. */
  isExchanged: boolean;
}

/** Steps of a group, whose ids are indices into those of the state. */
interface FoundSteps {
  steps: readonly Step[];
  ids: readonly number[];
}

/**
 * The steps from states. Those of a group are computed once for states that differ in no part that the group reads, but the names
 * of ids.
 */
export function createSuccessors(layout: Layout, bounds: Bounds) {
  const groups = stepGroups(layout).map((group) => createCachedGroup(group, layout, bounds));
  const createSuccessor = successorFactory(layout);

  return async function successorsOf(state: State): Promise<OrderSuccessor[]> {
    const found: FoundSteps[] = [];
    for (const stepsOf of groups) {
      const known = stepsOf(state);
      if (known) found.push(known instanceof Promise ? await known : known);
    }
    for (const { steps, ids } of found) {
      const first = steps.find(({ firstIfEmpty }) => firstIfEmpty?.every((slot) => isEmpty(state[slot])));
      if (first) return [createSuccessor(state, first, ids)];
    }
    const successors = found.flatMap(({ steps, ids }) =>
      steps.map((step) => createSuccessor(state, step, ids)),
    );
    if (successors.some(({ isSure }) => isSure)) return successors;
    const settling = await settle({ state, layout, bounds, steps: [] });
    const sameIds = Array.from({ length: FIRST_FRESH_ID }, (_, id) => id);
    return [...settling.map((step) => createSuccessor(state, step, sameIds)), ...successors];
  };
}

/** @returns undefined if the group has no steps from this state */
function createCachedGroup(
  { slotsIn, addSteps }: StepGroup,
  layout: Layout,
  bounds: Bounds,
): (state: State) => FoundSteps | Promise<FoundSteps> | undefined {
  const kept = new Map<readonly number[], Map<string, readonly Step[]>>();
  return (state) => {
    const slots = slotsIn(state);
    if (slots.length === 0) return undefined;
    const ids: number[] = [];
    let key = '';
    for (const slot of slots) {
      const { shape, ids: own } = partAt(state, slot);
      key += `${shape};`;
      for (const id of own) {
        const known = ids.indexOf(id);
        key += `${known < 0 ? ids.push(id) - 1 : known},`;
      }
    }
    const byKey = kept.get(slots) ?? new Map<string, readonly Step[]>();
    kept.set(slots, byKey);
    const steps = byKey.get(key);
    if (steps) return { steps, ids };
    const context: Context = { state: onlyParts(state, slots), layout, bounds, steps: [] };
    return Promise.resolve(addSteps(context)).then(() => {
      byKey.set(key, context.steps);
      return { steps: context.steps, ids };
    });
  };
}

/** The parts that a group may read. Another one is an error: the group's steps would not be those of the state. */
function onlyParts(state: State, slots: readonly number[]): State {
  const parts = renumber(slots.map((slot) => partAt(state, slot)));
  return new Proxy([] as Part[], {
    get(_, slot) {
      const index = slots.indexOf(Number(slot));
      if (index < 0) throw new Error(`a step reads the part ${String(slot)}, which its group has not named`);
      return parts[index];
    },
  });
}

function successorFactory({ workers, size }: Layout) {
  const [first, second] = workers.map(({ process, stop }) => [process, stop] as const);
  if (!first || !second) throw new Error('the model has two workers');
  const parts: Part[] = [];
  /** For each id of the step or the state: its number in the next state, if `seenBy` is this step's. */
  const numbers = new Int32Array(2 * FIRST_FRESH_ID);
  const seenBy = new Float64Array(2 * FIRST_FRESH_ID);
  let turn = 0;

  const rename = ({ shape, ids: own }: Part, ids: readonly number[]): Part =>
    own.length === 0
      ? { shape, ids: own }
      : { shape, ids: own.map((id) => (id < FIRST_FRESH_ID ? (ids[id] as number) : id)) };

  function hashParts(): Hash {
    turn += 1;
    let count = 0;
    const hash = createHash();
    for (let slot = 0; slot < size; slot += 1) {
      const { shape, ids } = parts[slot] as Part;
      hash.add(shape);
      for (let i = 0; i < ids.length; i += 1) {
        const id = ids[i] as number;
        if (seenBy[id] !== turn) {
          seenBy[id] = turn;
          numbers[id] = count;
          count += 1;
        }
        hash.add((numbers[id] as number) + 7);
      }
      hash.add(-1);
    }
    return hash.end();
  }

  return (state: State, step: Step, ids: readonly number[]): OrderSuccessor => {
    const fill = (): boolean => {
      for (let slot = 0; slot < size; slot += 1) parts[slot] = partAt(state, slot);
      for (const [slot, part] of step.changes) parts[slot] = rename(part, ids);
      return orderWorkers(parts, first, second);
    };
    const isExchanged = fill();
    return {
      label: step.label,
      isSure: step.isSure,
      violation: step.violation,
      isExchanged,
      hash: hashParts(),
      next() {
        fill();
        return renumber(parts);
      },
    };
  };
}

type WorkerSlots = readonly [process: number, stop: number];

/** Exchanges the two workers, if the second one comes first in the order of their states. */
function orderWorkers(parts: Part[], first: WorkerSlots, second: WorkerSlots): boolean {
  const difference =
    partAt(parts, first[0]).shape - partAt(parts, second[0]).shape ||
    partAt(parts, first[1]).shape - partAt(parts, second[1]).shape;
  if (difference >= 0) return false;
  for (const index of [0, 1] as const) {
    const part = partAt(parts, first[index]);
    parts[first[index]] = partAt(parts, second[index]);
    parts[second[index]] = part;
  }
  return true;
}
