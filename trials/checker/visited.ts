import type { Hash } from './hash.ts';

/** Hashes of the states that were visited, and how each was reached. The first state has the index 0. */
export function createVisited() {
  const indices = createHashTable();
  const parents = createIntegers();
  const choices = createIntegers();
  const edges = { from: createIntegers(), to: createIntegers() };
  const settled = createIntegers();
  parents.push(-1);
  choices.push(-1);
  return {
    get size() {
      return parents.length;
    },
    add(hash: Hash, parent: number, choice: number): { index: number; isNew: boolean } {
      const index = indices.getOrSet(hash, parents.length);
      const isNew = index === parents.length;
      if (isNew) {
        parents.push(parent);
        choices.push(choice);
      }
      return { index, isNew };
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
      for (let at = index; at > 0; at = parents.at(at)) path.unshift(choices.at(at));
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

interface Integers {
  readonly length: number;
  push: (value: number) => void;
  at: (index: number) => number;
}

/** A growing list of 32-bit integers. */
function createIntegers(): Integers {
  let values = new Int32Array(1_024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === values.length) {
        const longer = new Int32Array(length * 2);
        longer.set(values);
        values = longer;
      }
      values[length] = value;
      length += 1;
    },
    at: (index) => values[index] as number,
  };
}

/** A hash table from hashes to indices. A `Map` holds at most 16 million. */
function createHashTable() {
  let capacity = 1_024;
  let used = 0;
  let lows = new Uint32Array(capacity);
  let highs = new Uint32Array(capacity);
  /** Index + 1; 0 for a free place. */
  let places = new Int32Array(capacity);

  const placeOf = ({ low, high }: Hash): number => {
    let at = low & (capacity - 1);
    while (places[at] !== 0 && (lows[at] !== low || highs[at] !== high)) at = (at + 1) & (capacity - 1);
    return at;
  };
  const set = (at: number, { low, high }: Hash, place: number): void => {
    lows[at] = low;
    highs[at] = high;
    places[at] = place;
  };

  function grow(): void {
    const old = { lows, highs, places };
    capacity *= 2;
    lows = new Uint32Array(capacity);
    highs = new Uint32Array(capacity);
    places = new Int32Array(capacity);
    old.places.forEach((place, at) => {
      if (place === 0) return;
      const hash = { low: old.lows[at] as number, high: old.highs[at] as number };
      set(placeOf(hash), hash, place);
    });
  }

  return {
    /** The index of a hash, which becomes `index` if the hash is new. */
    getOrSet(hash: Hash, index: number): number {
      const at = placeOf(hash);
      const place = places[at] as number;
      if (place !== 0) return place - 1;
      set(at, hash, index + 1);
      used += 1;
      if (used * 2 > capacity) grow();
      return index;
    },
  };
}

/** Marks with 1 the states from which edges lead to one of the targets. */
function reachBackwards(
  states: number,
  edges: { from: Integers; to: Integers },
  targets: Integers,
): Uint8Array {
  // The edges into each state, as a linked list.
  const newest = new Int32Array(states).fill(-1);
  const earlier = new Int32Array(edges.to.length);
  for (let edge = 0; edge < edges.to.length; edge += 1) {
    const to = edges.to.at(edge);
    earlier[edge] = newest[to] as number;
    newest[to] = edge;
  }
  const reached = new Uint8Array(states);
  const open: number[] = [];
  for (let index = 0; index < targets.length; index += 1) {
    reached[targets.at(index)] = 1;
    open.push(targets.at(index));
  }
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (let edge = newest[state] as number; edge >= 0; edge = earlier[edge] as number) {
      const from = edges.from.at(edge);
      if (reached[from]) continue;
      reached[from] = 1;
      open.push(from);
    }
  }
  return reached;
}
