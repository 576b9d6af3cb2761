import { type IdSource, EMPTY, type Part, toPart } from './parts.ts';
import type { Id } from '@appointment-emissions/contracts';
import {
  type Bounds,
  budgetAtStart,
  type Budget,
  type Database,
  type Layout,
  type State,
  valueOf,
} from './state.ts';

/** One step of one part of the world. */
export interface Step {
  /** What happens, in words. */
  label: string;
  changes: Changes;
  /** True if it happens sooner or later. Writes, requests of users and faults need not happen. */
  isSure: boolean;
  /** The invariant that the step breaks. */
  violation?: string;
  /**
   * Set if the step commutes with every other step that can happen before it, as long as these slots are empty. Then it is enough to
   * take it first: every run has an equal one in which it comes first.
   */
  firstIfEmpty?: readonly number[];
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
  { steps }: Context,
  kind: 'sure' | 'possible',
  label: string,
  changes: Changes,
  more: Pick<Step, 'firstIfEmpty'> & { violation?: string | undefined } = {},
): void {
  const { violation, firstIfEmpty } = more;
  steps.push({
    label,
    changes,
    isSure: kind === 'sure',
    ...(violation && { violation }),
    ...(firstIfEmpty && { firstIfEmpty }),
  });
}

/** The results of a transition. */
export async function run(
  transition: (ids: IdSource, ...inputs: Part[]) => Part[] | Promise<Part[]>,
  ids: IdSource,
  ...inputs: Part[]
): Promise<Part[]> {
  return transition(ids, ...inputs);
}

export function budgetOf({ state, layout }: Context): Budget {
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

const NAMING = ['writes', 'deletion', 'duplicate', 'wrong-company', 'expiry'] as const;

/**
 * The appointments that a step may name. Until the first step names one, the two are alike: a run that begins with the second is a
 * run that begins with the first, with the names exchanged. Those of two companies are alike until any budget is used.
 */
export function distinctAppointments(context: Context): Id[] {
  const { layout, bounds } = context;
  const left = budgetOf(context);
  const atStart = budgetAtStart(bounds);
  const names = layout.companies.length === 1 ? NAMING : (Object.keys(atStart) as (keyof Budget)[]);
  const areAlike = names.every((name) => left[name] === atStart[name]);
  const all = Object.keys(databaseOf(context));
  return areAlike ? all.slice(0, 1) : all;
}
