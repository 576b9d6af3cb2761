import type { Id } from '@appointment-emissions/contracts';
import type { Keyspace } from '../redis-stand-in.ts';
import type { SavedProcess } from '../run-code.ts';
import type { BudgetOf } from '../small-model.ts';
import { orderKey, WATERMARK_KEY } from './sweeper.ts';

/** Something that goes wrong. Each happens at most once in a run. */
export const FAULTS = [
  /** A sweeper dies, and another one takes its place. */
  'crash',
  /** Redis or the queue has done something, but its reply is lost. */
  'lost-reply',
  /** Redis, the queue or MongoDB does nothing and fails. */
  'unavailable',
  /** Redis loses all keys, also those of the queue. */
  'flush',
  /** Redis fails over to a replica that has not followed for a while. */
  'fail-over',
  /** The clock of Redis is set ahead by an hour. */
  'clock-ahead',
  /** The clock of Redis is set back by an hour. */
  'clock-back',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Bounds {
  faults: readonly Fault[];
  writes: number;
  /** `updatedAt` of a write, compared with the time of the write, in ms. */
  skewMs: number;
  /** Two, which restart after each sweep; or one, which remembers what it found and begins the walk over the last day at once. */
  sweepers: 'two that forget' | 'one that remembers';
}

export interface Job {
  id: string;
  appointmentId: Id;
}

/** What Redis has. */
export interface Stored {
  keyspace: Keyspace;
  /** Jobs that wait. */
  jobs: readonly Job[];
  /** Jobs that have ended, whose ids the queue knows. */
  ended: readonly Job[];
}

export interface Sweeper extends SavedProcess {
  remembers: boolean;
}

export interface World extends Stored {
  /** The true time. Redis' clock is `clockOffsetMs` ahead of it. */
  nowMs: number;
  clockOffsetMs: number;
  history: string;
  /** `updatedAt` by appointment. */
  rows: Record<Id, number>;
  /** Rows that the watermark had passed, or may have, when they were written: the walk over the last day finds them. */
  late: readonly Id[];
  sweepers: readonly Sweeper[];
  /** What a lagging replica has; null if no replica lags. */
  replica: Stored | null;
  /** What may still happen. */
  budget: BudgetOf<Fault | 'writes' | 'sweeps' | 'time'>;
}

const START_MS = 1_000_000_000_000;
/** The rows are older than the overlap, and younger than what a first sweep reads. */
const OLD_MS = 3_600_000;
/** The last sweep ended before. */
const LAST_SWEEP_MS = 20_000;
const APPOINTMENTS: readonly Id[] = ['a1', 'a2'].map((id) => id.padStart(24, 'a'));

/** Two appointments, which are published. */
export function firstWorld({ faults, writes, sweepers }: Bounds): World {
  const rows = Object.fromEntries(APPOINTMENTS.map((id) => [id, START_MS - OLD_MS]));
  return {
    keyspace: {
      ...Object.fromEntries(APPOINTMENTS.map((id) => [orderKey(id), published(START_MS - OLD_MS)])),
      [WATERMARK_KEY]: {
        hash: { updatedAt: String(START_MS - LAST_SWEEP_MS), appointmentId: '', caughtUp: '1' },
      },
    },
    jobs: [],
    ended: [],
    nowMs: START_MS,
    clockOffsetMs: 0,
    history: 'h1',
    rows,
    late: [],
    sweepers:
      sweepers === 'two that forget'
        ? [1, 2].map((number) => ({ number, remembers: false, answers: [] }))
        : [{ number: 1, remembers: true, answers: [] }],
    replica: null,
    budget: { writes, sweeps: 2, time: 1, ...Object.fromEntries(faults.map((fault) => [fault, 1])) },
  };
}

/** What a worker leaves in an order key. */
export function published(updatedAt: number): { hash: Record<string, string> } {
  return { hash: { token: 'token', updatedAt: String(updatedAt), status: '', digest: '' } };
}
