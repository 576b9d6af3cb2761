import type { JobJson, JobsOptions } from 'bullmq';
import type { RedisClient } from '../redis/connect.ts';
import { luaScript } from '../redis/script.ts';
import type { EmissionJob } from './emission-job.ts';

export interface AddDirectJobDeps {
  redis: RedisClient;
  /** The live queue. */
  queue: { toKey: (type: string) => string };
  /** A worker runs the job if this process has not finished it by then. */
  lockMs: number;
  /** Milliseconds since 1970, by the clock that all processes share. */
  now: () => number;
  /** Whether nothing is added: it finds the job of an earlier call that had no reply. */
  findsOnly?: boolean;
}

/** Why nothing was added. `absent`: with `findsOnly`, there is no such job. */
const REFUSALS = { '0': 'exists', '-1': 'restricted', '-2': 'absent' } as const;

/** The job, or why nothing was added. `restricted`: an operator has paused or limited the queue. */
export type DirectJob = JobJson | (typeof REFUSALS)[keyof typeof REFUSALS];

/**
 * Adds a direct job: a job that this process runs itself, without a worker. It is active from the start, and belongs to `token`.
 * A job that an earlier call added with this token is found, and locked anew.
 * @throws if Redis is unavailable: the job may be added
 */
export type AddDirectJob = (emission: EmissionJob, options: JobsOptions, token: string) => Promise<DirectJob>;

const addScript = luaScript(new URL('./add-direct-job.lua', import.meta.url));

export function createAddDirectJob(deps: AddDirectJobDeps): AddDirectJob {
  const { redis, queue, lockMs, now, findsOnly = false } = deps;
  const [meta, active, events] = ['meta', 'active', 'events'].map(queue.toKey) as [string, string, string];

  return async (emission, options, token) => {
    const { emissionId: id, event: name, acceptedAt } = emission;
    const key = queue.toKey(id);
    const data = JSON.stringify(emission);
    const opts = { ...options, jobId: id, timestamp: Date.parse(acceptedAt) };
    // By this process' own clock, as BullMQ compares it.
    const processedOn = Date.now();
    const added = await addScript(
      redis,
      [meta, active, events, key, `${key}:lock`],
      [id, token, lockMs, now(), name, data, JSON.stringify(opts), opts.timestamp, findsOnly ? 1 : 0],
    );
    if (added !== 1) return REFUSALS[String(added) as keyof typeof REFUSALS];
    return {
      ...{ id, name, data, opts, timestamp: opts.timestamp, processedOn, delay: 0, priority: 0 },
      ...{ attemptsStarted: 1, attemptsMade: 0, stalledCounter: 0, progress: 0 },
      ...{ failedReason: '', returnvalue: 'null' },
    };
  };
}
