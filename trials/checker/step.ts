import { type IdSource, EMPTY, type Part, renumber, toPart } from './parts.ts';
import {
  type Bounds,
  type Budget,
  type Database,
  type Layout,
  type State,
  valueOf,
  replaceParts,
} from './state.ts';

/** One step of one part of the world. */
export interface Step {
  /** What happens, in words. */
  label: string;
  next: State;
  /** True if it happens sooner or later. Writes, requests of users and faults need not happen. */
  isSure: boolean;
  /** The invariant that the step breaks. */
  violation?: string;
}

export type Changes = (readonly [slot: number, part: Part])[];

export interface Context {
  state: State;
  layout: Layout;
  bounds: Bounds;
  steps: Step[];
}

const plainParts = new Map<string, Part>();

/** A part without ids, of a text or of JSON. */
export function plain(value: unknown): Part {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const part = plainParts.get(text) ?? toPart(text);
  plainParts.set(text, part);
  return part;
}

export const isEmpty = (part: Part | undefined): boolean => part === undefined || part.shape === EMPTY.shape;

export const partAt = (state: State, slot: number): Part => state[slot] ?? EMPTY;

export function add(
  { state, steps }: Context,
  kind: 'sure' | 'possible',
  label: string,
  changes: Changes,
  violation?: string,
): void {
  const next = renumber(replaceParts(state, changes));
  steps.push({ label, next, isSure: kind === 'sure', ...(violation && { violation }) });
}

/** The results of a transition. */
export async function run(
  transition: (ids: IdSource, ...inputs: Part[]) => Part[] | Promise<Part[]>,
  ids: IdSource,
  ...inputs: Part[]
): Promise<Part[]> {
  return transition(ids, ...inputs);
}

function budgetOf({ state, layout }: Context): Budget {
  return valueOf(state[layout.budget]) as Budget;
}

/** The budget after one use. Undefined if nothing is left. */
export function spend(context: Context, name: keyof Budget): Changes | undefined {
  const budget = budgetOf(context);
  const left = budget[name] ?? 0;
  if (left <= 0) return undefined;
  return [[context.layout.budget, plain({ ...budget, [name]: left - 1 })]];
}

export const databaseOf = ({ state, layout }: Context): Database =>
  valueOf(state[layout.database]) as Database;
