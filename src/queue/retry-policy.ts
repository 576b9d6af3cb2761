import type { QueueName } from '@appointment-emissions/contracts';
import type { DefaultJobOptions, WorkerOptions } from 'bullmq';

/** Upper limit of the backoff. */
export const MAX_RETRY_DELAY_MS = 30_000;

export interface RetryPolicy {
  attempts: number;
  firstRetryDelayMs: number;
}

/**
 * Exponential with a cap and equal jitter: half of the step is fixed, half random, so that jobs that failed together
 * are not retried together. With the defaults (8 attempts, 500 ms) the last try comes after 30-60 s.
 * @param attemptsMade from 1
 */
export function retryDelayMs(attemptsMade: number, firstRetryDelayMs: number, random = Math.random): number {
  const step = Math.min(firstRetryDelayMs * 2 ** (attemptsMade - 1), MAX_RETRY_DELAY_MS);
  return Math.round(step / 2 + (step / 2) * random());
}

/** Finished jobs are the operator's record; BullMQ removes by age only when another job ends, so a count bounds them too. */
export const KEPT_COMPLETED_SECONDS = 24 * 3_600;
/** Options of the workers instead of each job: a job's options are stored and parsed with it. */
export const KEPT_JOBS = {
  removeOnComplete: { age: KEPT_COMPLETED_SECONDS, count: 5_000 },
  removeOnFail: { age: 14 * 24 * 3_600, count: 100_000 },
} satisfies Partial<WorkerOptions>;

const MAX_STACK_TRACES = 10;

export function jobOptions({ attempts }: RetryPolicy): DefaultJobOptions {
  return {
    attempts,
    backoff: { type: 'custom' },
    // At most one for each attempt.
    ...(attempts > MAX_STACK_TRACES && { stackTraceLimit: MAX_STACK_TRACES }),
  };
}

/**
 * Live emissions have no priority and their own queue. The bulk queue is served in this order. Each is the first priority of its
 * class: a job's turn in the class is added to it, so that the companies take turns, see `CompanyShare`.
 */
export const PRIORITY = { live: 0, batch: 1, capture: 500_000, repair: 1_000_000, sweep: 1_500_000 } as const;
/** The queue that an emission of this priority goes to. */
export const queueOf = (priority: number): QueueName => (priority === PRIORITY.live ? 'live' : 'bulk');
/** The last turn in a class. BullMQ's priorities end at 2^21. */
export const MAX_TURN = 499_998;
