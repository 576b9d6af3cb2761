import type { JobsOptions, Queue } from 'bullmq';
import { coalesce } from '../coalesce.ts';
import { AppError } from '../errors.ts';
import { DeadlineExceeded, within } from '../lifecycle.ts';
import { type EmissionJob, JOB_VERSION } from './emission-job.ts';
import { jobOptions, type RetryPolicy } from './retry-policy.ts';

export type NewEmission = Omit<EmissionJob, 'v'>;

/**
 * Takes emissions into the queue. Resolves once Redis has them: from then on each is published or stands among the waiting or
 * failed jobs. Adding one again, by its emission id, does nothing.
 * @throws AppError QUEUE_UNAVAILABLE within 1.1 s when Redis does not answer.
 */
export type Enqueue = (emissions: readonly NewEmission[], priority: number) => Promise<void>;

const GIVE_UP_AFTER_MS = 1_100;
/** Single emissions of one turn of the event loop share a pipeline of at most so many jobs. */
const LARGEST_PIPELINE = 100;
const PIPELINES_IN_FLIGHT = 16;

export interface EnqueueDeps {
  queue: Queue;
  policy: RetryPolicy;
  /** Told of what stands in the queue now. */
  remember: (emissions: readonly NewEmission[]) => void;
}

export function createEnqueue({ queue, policy, remember }: EnqueueDeps): Enqueue {
  const options = jobOptions(policy);

  async function add(emissions: readonly NewEmission[], priority: number): Promise<void> {
    const jobs = emissions.map((emission) => ({
      name: emission.event,
      data: { v: JOB_VERSION, ...emission } satisfies EmissionJob,
      opts: {
        ...options,
        jobId: emission.emissionId,
        ...(priority > 0 && { priority }),
      } satisfies JobsOptions,
    }));
    const [first] = jobs;
    if (jobs.length === 1 && first) await queue.add(first.name, first.data, first.opts);
    else await queue.addBulk(jobs);
  }

  /** A timed-out add is unknown, not failed: the same job ids make a second try harmless. */
  async function addTwice(emissions: readonly NewEmission[], priority: number): Promise<void> {
    try {
      await add(emissions, priority);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('timed out'))) throw error;
      await add(emissions, priority);
    }
  }

  const addShared = coalesce<NewEmission, undefined>({
    run: async (emissions) => {
      await within(GIVE_UP_AFTER_MS, 'adding to the queue', addTwice(emissions, 0));
      return [];
    },
    maxBatch: LARGEST_PIPELINE,
    maxInFlight: PIPELINES_IN_FLIGHT,
    firstAtOnce: true,
  });

  return async (emissions, priority) => {
    const [first] = emissions;
    const shared = emissions.length === 1 && first && priority === 0;
    const added = shared ? addShared(first) : addTwice(emissions, priority);
    try {
      await within(GIVE_UP_AFTER_MS, 'adding to the queue', added);
    } catch (cause) {
      const what = cause instanceof DeadlineExceeded ? 'does not answer' : 'is not available';
      throw new AppError('QUEUE_UNAVAILABLE', `the queue ${what}; the same call may succeed in a moment`, {
        cause,
        retryAfterSeconds: 1,
      });
    }
    remember(emissions);
  };
}
