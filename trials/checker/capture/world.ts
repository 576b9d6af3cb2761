import type { Id } from '@appointment-emissions/contracts';
import type { Keyspace } from '../redis-stand-in.ts';
import { companyKeys } from '../order/programs.ts';
import { idName } from '../order/parts.ts';
import type { SavedProcess } from '../run-code.ts';
import type { BudgetOf } from '../small-model.ts';
import { COMPANY, type Job } from './programs.ts';

/** Something that goes wrong, or that happens seldom. Each happens at most once in a run. */
export const FAULTS = [
  /** A process that captures dies, and another one takes its place. */
  'crash',
  /** The owner of the lease is frozen until the lease has expired. */
  'lease-expiry',
  /** A worker freezes; its job runs again in another worker, and the frozen worker resumes later. */
  'freeze',
  /** Redis or the queue has done something, but its reply is lost. */
  'lost-reply',
  /** Redis, the queue or MongoDB does nothing and fails. */
  'unavailable',
  /** An appointment is deleted. */
  'deletion',
  /** MongoDB forgets all changes until now. */
  'lost-history',
  /** Redis loses all keys, also those of the queue. */
  'flush',
  /** Redis fails over to a replica that has not followed for a while. */
  'fail-over',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Bounds {
  /**
   * One write; two of two appointments; or two of one appointment: the bot calls after the first one, and not after the second
   * one, which gives it the content that it had at first.
   */
  writes: 'one write' | 'two writes' | 'changed back';
  faults: readonly Fault[];
}

export interface Document {
  version: number;
  content: string;
  isDeleted?: true;
}

/** What Redis has. */
export interface Stored {
  keyspace: Keyspace;
  /** Jobs that wait. */
  jobs: readonly Job[];
  /** Ids of jobs that run or have ended. */
  known: readonly string[];
}

export interface Capture extends SavedProcess {
  /** Redis has failed over since the last renewal. */
  isRenewalDue?: true;
}

export interface Worker extends SavedProcess {
  job: Job;
}

export interface World extends Stored {
  history: string;
  documents: Record<Id, Document>;
  /** What was published last. */
  screen: Record<Id, Document>;
  /** The changes of the stream, in order. */
  changes: readonly { appointmentId: Id; isDeletion: boolean }[];
  /** The stream cannot begin earlier. */
  oldestChange: number;
  /** A stream has begun at the present instead of at the saved token: the sweep finds the writes between. */
  hasRestarted: boolean;
  captures: readonly Capture[];
  workers: readonly (Worker | null)[];
  /** Number of the next process. */
  nextNumber: number;
  replica: Stored | null;
  budget: BudgetOf<Fault | 'writes' | 'renewal'>;
}

export const FIRST_CONTENT = '0';
export const UPDATED_AT = '2026-01-01T00:00:00.000Z';
const APPOINTMENTS: readonly Id[] = ['a1', 'a2'].map((id) => id.padStart(24, 'a'));

/** Appointments that are published. */
export function emptyWorld({ writes, faults }: Bounds): World {
  const ids = writes === 'two writes' ? APPOINTMENTS : APPOINTMENTS.slice(0, 1);
  const documents = Object.fromEntries(ids.map((id) => [id, { version: 1, content: FIRST_CONTENT }]));
  const order = {
    token: idName(0),
    updatedAt: String(Date.parse(UPDATED_AT)),
    status: '',
    references: '',
    digest: `content-${FIRST_CONTENT}`,
  };
  return {
    keyspace: Object.fromEntries(ids.map((id) => [companyKeys.order(COMPANY, id), { hash: { ...order } }])),
    jobs: [],
    known: [],
    history: 'h1',
    documents,
    screen: documents,
    changes: [],
    oldestChange: 0,
    hasRestarted: false,
    captures: [1, 2].map((number) => ({ number, answers: [] })),
    workers: [null, null],
    nextNumber: 3,
    replica: null,
    budget: {
      writes: writes === 'one write' ? 1 : 2,
      renewal: 1,
      ...Object.fromEntries(faults.map((fault) => [fault, 1])),
    },
  };
}
