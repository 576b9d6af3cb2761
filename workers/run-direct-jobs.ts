import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRedisBackend, Job, type JobJson, type JobsOptions } from 'bullmq';
import type { ApiConfig } from '../src/config.ts';
import {
  createEmitAppointment,
  createReadEarly,
  type EarlyRead,
  type EmitAppointment,
  type EmitAppointmentDeps,
} from '../src/emission/emit-appointment.ts';
import { createLoadAppointments } from '../src/population/load-appointments.ts';
import { type AddDirectJob, createAddDirectJob } from '../src/queue/add-direct-job.ts';
import type { EmissionJob } from '../src/queue/emission-job.ts';
import type { Shard } from '../src/queue/shards.ts';
import { connectRedis, type RedisClient } from '../src/redis/connect.ts';
import type { Resources } from '../src/resources/open-resources.ts';
import { composePipeline, composeQuarantine, composeWorkerDeps } from './compose-worker.ts';
import { createEmissionWorker } from './emission-worker.ts';

/**
 * Adds an emission as a direct job, and runs it in the background. Resolves to false if nothing was added: this process is busy,
 * the job exists, or an operator has paused or limited the queue.
 * @throws if Redis is unavailable
 */
export type AddDirect = (emission: EmissionJob, options: JobsOptions) => Promise<boolean>;

/** A worker runs the job of a dead process after this time. Reads and scripts that are slow need less. */
const LOCK_MS = 5_000;
const MEASURE_EVERY_MS = 100;

/**
 * Runs direct jobs: those of live emissions, in the process that accepts them. An emission then waits for no worker to fetch its
 * job. While Redis adds the job, the appointment is claimed and read. What fails is retried by a worker.
 */
export function runDirectJobs(resources: Resources<ApiConfig>): AddDirect {
  const { id, config, shards, lifecycle } = resources;
  const connection = openConnection(resources);
  const pipeline = composeDirectPipeline(resources);
  const emit = createEmitAppointment(pipeline);
  const readEarly = createReadEarly(pipeline);
  /** By emission id, of the jobs in progress. */
  const earlyReads = new Map<string, Promise<EarlyRead | undefined>>();
  const lanes = composeLanes(resources, connection, (attempt) =>
    emit(attempt, earlyReads.get(attempt.emissionId)),
  );
  // Workers use other CPUs, and read many appointments at once.
  const isBusy = createIsBusy(config.MAX_DIRECT_UTILIZATION);
  const running = new Set<Promise<void>>();
  lifecycle.onClose('direct jobs', async () => {
    // Without Redis no job can end.
    const isForced = connection.status !== 'ready';
    if (!isForced) await Promise.all(running);
    await lanes.close(isForced);
  });

  async function run({ worker }: Lane, job: JobJson, token: string): Promise<void> {
    await nextTurn();
    await worker.processJob(Job.fromJSON(worker, job), token, () => false).catch(lanes.onError);
    earlyReads.delete(job.id);
  }

  return async (emission, options) => {
    const { companyId, emissionId } = emission;
    if (earlyReads.size >= config.API_CONCURRENCY || earlyReads.has(emissionId) || isBusy()) return false;
    const token = `${id}:${emissionId}`;
    const lane = lanes.of(shards.of(companyId));
    const adding = lane.add(emission, options, token);
    earlyReads.set(emissionId, readEarly(emission));
    let job: JobJson | undefined;
    try {
      job = await adding;
    } finally {
      if (!job) earlyReads.delete(emissionId);
    }
    if (!job) return false;
    const ended = run(lane, job, token).finally(() => running.delete(ended));
    running.add(ended);
    return true;
  };
}

function composeDirectPipeline(resources: Resources): EmitAppointmentDeps {
  const load = createLoadAppointments(resources.models);
  return composePipeline(resources, {
    // Capture compares it, and may be on in a worker.
    hasDigest: true,
    // The replies to job and claim arrive together: first the bot gets its answer.
    load: (ids, guesses) => nextTurn().then(() => load(ids, guesses)),
  });
}

/** What adds and ends the direct jobs of one shard. */
interface Lane {
  add: AddDirectJob;
  /** It fetches no jobs: it runs and ends those that it is given. */
  worker: ReturnType<typeof createEmissionWorker>;
}

/** A lane for each shard that this process adds jobs to. They share a connection. */
function composeLanes(
  resources: Resources<ApiConfig>,
  connection: RedisClient,
  emitAppointment: EmitAppointment,
) {
  const { config, redis, clock } = resources;
  const common = composeWorkerDeps(resources);
  const lanes = new Map<Shard, Lane>();

  function open({ prefix, live }: Shard): Lane {
    const worker = createEmissionWorker({
      ...common,
      redis: connection,
      // Without a connection that waits for jobs.
      createBackend: (name, options) => createRedisBackend(name, options),
      prefix,
      queueName: live.name,
      quarantine: composeQuarantine('live', live, resources),
      concurrency: config.API_CONCURRENCY,
      emitAppointment,
      onProgress: () => undefined,
    });
    return { worker, add: createAddDirectJob({ redis, queue: live, lockMs: LOCK_MS, now: clock.now }) };
  }

  return {
    of(shard: Shard): Lane {
      const lane = lanes.get(shard) ?? open(shard);
      lanes.set(shard, lane);
      return lane;
    },
    onError: common.onError,
    close: (isForced: boolean) =>
      Promise.all([...lanes.values()].map(({ worker }) => worker.close(isForced))),
  };
}

/** Whether the event loop was too busy lately. It is measured again if the last time is {@link MEASURE_EVERY_MS} ago. */
function createIsBusy(maxUtilization: number): () => boolean {
  let last = performance.eventLoopUtilization();
  let measuredAt = performance.now();
  let isBusy = false;
  return () => {
    const now = performance.now();
    if (now - measuredAt < MEASURE_EVERY_MS) return isBusy;
    const current = performance.eventLoopUtilization();
    isBusy = performance.eventLoopUtilization(current, last).utilization > maxUtilization;
    last = current;
    measuredAt = now;
    return isBusy;
  };
}

/** The commands that end a job wait for Redis without limit, as those of a worker. */
function openConnection({ config, outages, lifecycle }: Resources): RedisClient {
  const connection = connectRedis(config.REDIS_URL, 'queue');
  outages.redis('direct jobs', connection);
  lifecycle.onClose('redis: direct jobs', () => {
    connection.disconnect();
  });
  return connection;
}
