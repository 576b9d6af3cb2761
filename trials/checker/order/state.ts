import type { Id } from '@appointment-emissions/contracts';
import { EMPTY, idName, type Part, shapeText, toPart } from './parts.ts';
import { NEW_DASHBOARD } from './dashboard.ts';
import type { Task } from './programs.ts';
import type { ProcessState } from './run-process.ts';

/** Something that goes wrong, or that happens seldom. Each happens at most once in a run. */
export const FAULTS = [
  /** A worker dies; its job runs again. */
  'crash',
  /** A worker freezes; its job runs again in another worker, and the frozen worker resumes later. */
  'freeze',
  /** The reply of a script is lost, after the script has run. */
  'lost-reply',
  /** Redis loses all keys of the companies. */
  'flush',
  /** Redis fails over to a replica that has not followed for a while. */
  'fail-over',
  /** An appointment is deleted. */
  'deletion',
  /** An appointment is emitted again, without a write. */
  'duplicate',
  /** An appointment is emitted for another company. */
  'wrong-company',
  /** The order token of an appointment expires. */
  'expiry',
  /** A company log expires. */
  'trimming',
  /** A gateway loses the oldest live message that it has not sent yet. */
  'lost-message',
  /** A gateway announces the head of the company log, while other things are going on. */
  'announcement',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What may happen in a run. */
export interface Bounds {
  /** Number of the company (0 or 1) of each appointment. */
  companyOf: readonly (0 | 1)[];
  writes: number;
  /** Lists that the user requests, although nothing is missing. */
  lists: number;
  /** Connections that are cut: the dashboard reconnects, and missed emissions are replayed. */
  cuts: number;
  /** True if a worker may also take all waiting jobs at once, as the bulk queue's batches. */
  batches: boolean;
  faults: readonly Fault[];
}

/** What may still happen. */
export type Budget = Record<'writes' | 'lists' | 'cuts', number> & Partial<Record<Fault, number>>;

/** The documents in MongoDB. A deletion is a version too. */
export type Database = Record<Id, { companyId: Id; version: number; isDeleted?: true }>;

/** A process of a worker, of the list route or of a gateway. */
export interface SavedProcess extends ProcessState {
  task: Task;
}

/** One text for each part of the world; see {@link layoutOf}. */
export type State = readonly Part[];

/** Where a process is in a state: what it has got so far, and what it waits for. */
export interface ProcessSlot {
  process: number;
  stop: number;
}

/** Where the parts of a company are in a state. */
export interface CompanySlots {
  id: Id;
  name: string;
  redis: number;
  /** The keys that a lagging replica has. Empty if no replica lags. */
  replica: number;
  /** The last published position; see `checkMessages`. */
  lastPublished: number;
  dashboard: number;
  /** `off`, `joining` (the gateway has not sent the first position) or `on`. */
  connection: number;
  /** What was published or sent to the dashboard, and has not arrived. */
  wire: number;
  list: ProcessSlot;
  catchUp: ProcessSlot;
}

export interface Layout {
  /** The `master_replid` of Redis. */
  history: number;
  database: number;
  jobs: number;
  budget: number;
  workers: ProcessSlot[];
  companies: CompanySlots[];
  size: number;
}

const WORKERS = 2;
const companyId = (index: number): Id => `c${index + 1}`.padStart(24, 'c');
const appointmentId = (index: number): Id => `a${index + 1}`.padStart(24, 'a');

/** `appointment 1` for the id of the first appointment. */
export const appointmentName = (id: Id): string => `appointment ${id.slice(-1)}`;

export function layoutOf({ companyOf }: Bounds): Layout {
  let size = 0;
  const slot = (): number => size++;
  const processSlot = (): ProcessSlot => ({ process: slot(), stop: slot() });
  return {
    history: slot(),
    database: slot(),
    jobs: slot(),
    budget: slot(),
    workers: Array.from({ length: WORKERS }, processSlot),
    companies: [...new Set(companyOf)].map((index) => ({
      id: companyId(index),
      name: `company ${index + 1}`,
      redis: slot(),
      replica: slot(),
      lastPublished: slot(),
      dashboard: slot(),
      connection: slot(),
      wire: slot(),
      list: processSlot(),
      catchUp: processSlot(),
    })),
    size,
  };
}

/** A state in which nothing has happened, and nothing may happen but what the dashboards do by themselves. */
export function emptyState(layout: Layout, { companyOf }: Bounds): State {
  const state: Part[] = Array.from({ length: layout.size }, () => EMPTY);
  const database: Database = Object.fromEntries(
    companyOf.map((company, index) => [appointmentId(index), { companyId: companyId(company), version: 1 }]),
  );
  state[layout.history] = toPart(idName(0));
  state[layout.database] = toPart(JSON.stringify(database));
  state[layout.jobs] = toPart('[]');
  state[layout.budget] = toPart(JSON.stringify({ writes: 0, lists: 0, cuts: 0 } satisfies Budget));
  for (const company of layout.companies) {
    state[company.redis] = toPart('{}');
    state[company.dashboard] = toPart(NEW_DASHBOARD);
    state[company.connection] = toPart('off');
    state[company.wire] = toPart('[]');
  }
  return state;
}

export const budgetAtStart = ({ writes, lists, cuts, faults }: Bounds): Budget => ({
  writes,
  lists,
  cuts,
  ...Object.fromEntries(faults.map((fault) => [fault, 1])),
});

export const withBudget = (state: State, layout: Layout, bounds: Bounds): State =>
  replaceParts(state, [[layout.budget, toPart(JSON.stringify(budgetAtStart(bounds)))]]);

/** A copy of a state with some other parts. */
export function replaceParts(state: State, changes: readonly (readonly [slot: number, part: Part])[]): State {
  const next = [...state];
  for (const [slot, part] of changes) next[slot] = part;
  return next;
}

const parsed = new Map<number, unknown>();

/** The value of a part, parsed once. The ids in it are not those of the state. */
export function valueOf(part: Part | undefined): unknown {
  const { shape } = part ?? EMPTY;
  if (!parsed.has(shape)) parsed.set(shape, JSON.parse(shapeText(shape)));
  return parsed.get(shape);
}
