import type { JobsOptions } from 'bullmq';
import type { Id, QueueName } from '@appointment-emissions/contracts';
import { AppError } from '../errors.ts';
import { DeadlineExceeded, within } from '../process/lifecycle.ts';
import { corkUntilImmediate, type RedisClient } from '../redis/connect.ts';
import { type EmissionJob, JOB_VERSION } from './emission-job.ts';
import type { EmissionQueues } from './open-queues.ts';
import { jobOptions, PRIORITY, queueOf, type RetryPolicy } from './retry-policy.ts';

export type NewEmission = Omit<EmissionJob, 'v'>;

/**
 * Adds emissions to a queue: live ones (priority 0) to the live queue, unless their company exceeds its share, and the others to
 * the bulk queue. Resolves when Redis has them, to the queue of each: from then on each is published, or is a waiting or failed
 * job. Adding an emission again, with the same id, does nothing while its job is kept in the same queue.
 * @throws AppError QUEUE_UNAVAILABLE within 1.1 s when Redis does not answer.
 */
export type Enqueue = (emissions: readonly NewEmission[], priority: number) => Promise<QueueName[]>;

const ADD_TIMEOUT_MS = 1_100;

export interface EnqueueDeps {
  queues: EmissionQueues;
  /** The connection of those queues. */
  redis: RedisClient;
  policy: RetryPolicy;
  /** The priority of each emission, if the companies share the queues. It may move a live emission to the bulk queue. */
  priorityFor?: ((companyId: Id, priority: number) => number) | undefined;
  /** Called with the emissions that were added. */
  remember: (emissions: readonly NewEmission[]) => void;
}

export function createEnqueue({ queues, redis, policy, priorityFor, remember }: EnqueueDeps): Enqueue {
  const options = jobOptions(policy);

  async function add(emissions: readonly NewEmission[], priorities: readonly number[]): Promise<void> {
    if (emissions.length > 1) corkUntilImmediate(redis);
    await Promise.all(
      emissions.map((emission, index) => {
        const priority = priorities[index] ?? PRIORITY.live;
        const job = { v: JOB_VERSION, ...emission } satisfies EmissionJob;
        const own: JobsOptions = {
          ...options,
          jobId: emission.emissionId,
          // By the fleet's clock, which the age of jobs is computed with.
          timestamp: Date.parse(emission.acceptedAt),
          ...(priority !== PRIORITY.live && { priority }),
        };
        return queues[queueOf(priority)].add(emission.event, job, own);
      }),
    );
  }

  /** A timed-out add is unknown, not failed: the same job ids make a second try harmless. */
  async function addTwice(emissions: readonly NewEmission[], priority: number): Promise<QueueName[]> {
    // Once: in another queue the second try would be a second job.
    const priorities = emissions.map(({ companyId }) => priorityFor?.(companyId, priority) ?? priority);
    try {
      await add(emissions, priorities);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('timed out'))) throw error;
      await add(emissions, priorities);
    }
    return priorities.map(queueOf);
  }

  return async (emissions, priority) => {
    let queueNames: QueueName[];
    try {
      queueNames = await within(ADD_TIMEOUT_MS, 'adding to the queue', addTwice(emissions, priority));
    } catch (cause) {
      const what = cause instanceof DeadlineExceeded ? 'does not answer' : 'is not available';
      throw new AppError('QUEUE_UNAVAILABLE', `the queue ${what}; try again in a moment`, {
        cause,
        retryAfterSeconds: 1,
      });
    }
    remember(emissions);
    return queueNames;
  };
}
