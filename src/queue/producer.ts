import type { JobsOptions } from 'bullmq';
import { emissionAttributes, type Id, type QueueName } from '@appointment-emissions/contracts';
import { queueUnavailable } from '../errors.ts';
import { DeadlineExceeded, within } from '../process/lifecycle.ts';
import { isTimeout } from '../process/unavailable.ts';
import { corkUntilImmediate, type RedisClient } from '../redis/connect.ts';
import type { ServerTracing } from '../tracing/load-tracing.ts';
import { type EmissionJob, JOB_VERSION } from './emission-job.ts';
import { jobOptions, PRIORITY, queueOf, type RetryPolicy } from './retry-policy.ts';
import type { Shard } from './shards.ts';

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
  /** The shard of a company's new jobs. */
  shardOf: (companyId: Id) => Shard;
  /** The connection of those queues. */
  redis: RedisClient;
  policy: RetryPolicy;
  /** The priority of each emission, if the companies share the queues. It may move a live emission to the bulk queue. */
  priorityFor?: ((companyId: Id, priority: number) => number) | undefined;
  /**
   * Adds a live emission as a direct job, if this process can run it now. Resolves to false if nothing was added. After an error
   * another call with the same emission and shard is harmless.
   */
  addDirect?: ((job: EmissionJob, options: JobsOptions, shard: Shard) => Promise<boolean>) | undefined;
  /** Called with the emissions that were added. */
  remember: (emissions: readonly NewEmission[]) => void;
  tracing?: ServerTracing | undefined;
}

/** Where an emission is enqueued. */
interface Place {
  shard: Shard;
  priority: number;
  /** Whether the call has emissions of a batch. */
  isBatch: boolean;
}

export function createEnqueue(deps: EnqueueDeps): Enqueue {
  const { shardOf, redis, policy, priorityFor, remember } = deps;
  const options = jobOptions(policy);
  const addAsDirectJob = createAddAsDirectJob(deps, options);
  const addToQueue = createAddToQueue(deps, options);

  function placeOf({ companyId }: NewEmission, asked: number): Place {
    const priority = priorityFor?.(companyId, asked) ?? asked;
    return { shard: shardOf(companyId), priority, isBatch: asked === PRIORITY.batch };
  }

  async function add(placed: readonly (readonly [NewEmission, Place])[]): Promise<void> {
    const [only] = placed.length === 1 ? placed : [];
    if (only?.[1].priority === PRIORITY.live) {
      const [emission, { shard }] = only;
      if (await addAsDirectJob(emission, shard)) return;
    }
    if (placed.length > 1) corkUntilImmediate(redis);
    await Promise.all(placed.map(([emission, place]) => addToQueue(emission, place)));
  }

  /** A timed-out add is unknown, not failed: the same job ids make a second try harmless. */
  async function addTwice(emissions: readonly NewEmission[], priority: number): Promise<QueueName[]> {
    // Once: in another queue or shard the second try would be a second job.
    const placed = emissions.map((emission) => [emission, placeOf(emission, priority)] as const);
    try {
      await add(placed);
    } catch (error) {
      if (!isTimeout(error)) throw error;
      await add(placed);
    }
    return placed.map(([, { priority }]) => queueOf(priority));
  }

  return async (emissions, priority) => {
    let queueNames: QueueName[];
    try {
      queueNames = await within(ADD_TIMEOUT_MS, 'adding to the queue', addTwice(emissions, priority));
    } catch (cause) {
      const what = cause instanceof DeadlineExceeded ? 'does not answer' : 'is not available';
      throw queueUnavailable(`${what}; try again in a moment`, cause);
    }
    remember(emissions);
    return queueNames;
  };
}

/** Resolves to false if nothing was added. */
function createAddAsDirectJob({ addDirect, tracing }: EnqueueDeps, options: JobsOptions) {
  return async (emission: NewEmission, shard: Shard): Promise<boolean> => {
    if (!addDirect) return false;
    const { traceparent, event } = emission;
    const job = { v: JOB_VERSION, ...emission } satisfies EmissionJob;
    if (traceparent === undefined) return addDirect(job, options, shard);
    const span = tracing?.start(`add ${shard.live.name}.${event}`, {
      kind: 'producer',
      parent: traceparent,
      attributes: { ...emissionAttributes(emission), 'emission.direct': true },
    });
    const telemetry = { metadata: span?.traceparent ?? traceparent };
    const isAdded = await addDirect(job, { ...options, telemetry }, shard);
    // Otherwise BullMQ reports that it is added.
    if (isAdded) span?.end();
    return isAdded;
  };
}

function createAddToQueue({ tracing }: EnqueueDeps, options: JobsOptions) {
  const add = (emission: NewEmission, { shard, priority }: Place): Promise<unknown> => {
    const { event, emissionId, acceptedAt, traceparent } = emission;
    return shard[queueOf(priority)].add(event, { v: JOB_VERSION, ...emission } satisfies EmissionJob, {
      ...options,
      // A worker continues the trace from it. With tracing, BullMQ replaces it by the context of its own span.
      ...(traceparent !== undefined && { telemetry: { metadata: traceparent } }),
      jobId: emissionId,
      // By the fleet's clock, which the age of jobs is computed with.
      timestamp: Date.parse(acceptedAt),
      ...(priority !== PRIORITY.live && { priority }),
    });
  };
  if (!tracing) return add;
  return (emission: NewEmission, place: Place): Promise<unknown> =>
    tracing.addTraced(emission.traceparent, place.isBatch, () => add(emission, place));
}
