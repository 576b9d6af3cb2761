import type { Keyspace } from '../redis-stand-in.ts';
import type { Call, SavedProcess } from '../run-code.ts';
import type { BudgetOf } from '../small-model.ts';
import type { Body, Reply } from './request.ts';

/** Something that goes wrong, or that happens seldom. Each happens at most once in a run. */
export const FAULTS = [
  /** An API process dies. What it has sent to Redis arrives, or only a part of it. */
  'crash',
  /** Redis or the queue has done something, but its reply is lost. */
  'lost-reply',
  /** Redis, the queue or MongoDB does nothing and fails. */
  'unavailable',
  /** A timer ends before the reply that it limits. What was requested is done later. */
  'timeout',
  /** The appointment does not exist when it is searched. */
  'not-found',
  /** Redis loses all keys, also those of the queue. */
  'flush',
  /** The lifetime of the record ends, long after the last request. */
  'expiry',
  /** A job whose item is recorded as added is removed from the queue. */
  'trimming',
  /** The clock of Redis is set back by an hour. */
  'clock',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Bounds {
  /** The requests, in the order in which they begin. */
  bodies: readonly Body[];
  faults: readonly Fault[];
}

/** A request in an API process of its own. */
export interface RequestProcess extends SavedProcess {
  body: Body;
}

export interface RequestState extends RequestProcess {
  /** Calls that Redis or the queue will get, although their replies will not be used. */
  late?: readonly Call[];
  isDead?: true;
  /** The nonce under which it works or repeats an answer; undefined before it has one. */
  nonce?: string;
  /** Redis' time when it got the key; undefined if it does not work. */
  workingSince?: number;
  /** An accepted request with another body was recorded when the key was taken. */
  mustBeRefused?: true;
  reply?: Reply;
}

/** A job of the queue. */
export interface Job {
  id: string;
  item: string;
  nonce: string;
  /** Removed after its end; the queue does not know its id anymore. */
  isTrimmed?: true;
}

export interface World {
  nowMs: number;
  keyspace: Keyspace;
  jobs: readonly Job[];
  requests: readonly RequestState[];
  /** How often each fault may still happen, and how often 3 s may pass. */
  budget: BudgetOf<Fault | 'time'>;
  /** Counts the lives of the record. */
  life: number;
  /** In which life each nonce was created. */
  nonces: Record<string, number>;
  /** The body whose acceptance was recorded last, in this life. */
  recorded: Body | null;
  /** Ids of jobs that Redis has lost. */
  lost: readonly string[];
  hasClockJumped: boolean;
}

export function firstWorld({ faults }: Bounds): World {
  return {
    nowMs: 100_000_000,
    keyspace: {},
    jobs: [],
    requests: [],
    budget: { time: 1, ...Object.fromEntries(faults.map((fault) => [fault, 1])) },
    life: 0,
    nonces: {},
    recorded: null,
    lost: [],
    hasClockJumped: false,
  };
}
