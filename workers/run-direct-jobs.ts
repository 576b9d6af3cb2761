import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobJson, JobsOptions } from 'bullmq';
import type { ApiConfig } from '../src/config.ts';
import {
  createEmitAppointment,
  createReadEarly,
  type EarlyRead,
  type EmitAppointmentDeps,
} from '../src/emission/emit-appointment.ts';
import type { DirectResult } from '../src/metrics/names.ts';
import type { DirectJob } from '../src/queue/add-direct-job.ts';
import type { EmissionJob } from '../src/queue/emission-job.ts';
import type { Shard } from '../src/queue/shards.ts';
import { connectRedis, type RedisClient } from '../src/redis/connect.ts';
import type { Resources } from '../src/resources/open-resources.ts';
import { composePipeline } from './compose-worker.ts';
import { composeLanes, type Lane } from './direct-lanes.ts';

/**
 * Adds an emission as a direct job, and runs it in the background. Resolves to false if nothing was added: this process is busy
 * or closing, the job exists, or an operator has paused or limited the queue.
 * @throws if Redis is unavailable. The job may be added: it is looked for in the background, and another call finds it too.
 */
export type AddDirect = (emission: EmissionJob, options: JobsOptions, shard: Shard) => Promise<boolean>;

const MEASURE_EVERY_MS = 100;
/** An operator's pause or limit is looked for again after this time. */
const RESTRICTED_MS = 1_000;

/**
 * Runs direct jobs: the jobs of live emissions run in the process that accepts them. No worker must fetch such a job first. While Redis adds the job, the appointment is claimed and read. What fails is retried by a worker.
 */
export function runDirectJobs(resources: Resources<ApiConfig>): AddDirect {
  const { id, config, metrics, lifecycle } = resources;
  const connection = openConnection(resources);
  const pipeline = composeDirectPipeline(resources);
  const emit = createEmitAppointment(pipeline);
  const jobs = createDirectJobs(id, createReadEarly(pipeline));
  const lanes = composeLanes(resources, connection, (attempt) =>
    emit(attempt, jobs.inProgress.get(attempt.emissionId)),
  );
  // Workers use other CPUs, and read many appointments at once.
  const load = measureLoad(config.MAX_DIRECT_UTILIZATION);
  const running = new Set<Promise<void>>();
  let isClosing = false;
  lifecycle.onClose('direct jobs', async () => {
    isClosing = true;
    load.close();
    // Without Redis no job can end.
    await Promise.race([Promise.all(running), whenDisconnected(connection)]);
    await lanes.close(connection.status !== 'ready');
  });

  const leave = (result: DirectResult): false => {
    metrics.directJob(result);
    return false;
  };
  return async (emission, options, shard) => {
    const { emissionId } = emission;
    if (isClosing || jobs.inProgress.has(emissionId)) return leave('other');
    const lane = lanes.of(shard);
    const isSecondTry = jobs.unknown.has(emissionId);
    // A second try has no limits: the first one may have added the job.
    if (!isSecondTry) {
      const isFull = jobs.inProgress.size + jobs.unknown.size >= config.API_CONCURRENCY;
      if (isFull) return leave('full');
      if (performance.now() < lane.restrictedUntil) return leave('restricted');
      if (load.isBusy()) return leave('busy');
    }
    const { added, ended } = jobs.start(lane, emission, options);
    running.add(ended);
    void ended.finally(() => running.delete(ended));
    if (!(await added)) return leave(performance.now() < lane.restrictedUntil ? 'restricted' : 'other');
    metrics.directJob('direct');
    return true;
  };
}

/** Adds and runs direct jobs. */
function createDirectJobs(processId: string, readEarly: ReturnType<typeof createReadEarly>) {
  /** By emission id, of the jobs that are added or run, with the early read. */
  const inProgress = new Map<string, Promise<EarlyRead | undefined> | undefined>();
  /** Ids of emissions whose add had no reply: their jobs are looked for. */
  const unknown = new Set<string>();
  const tokenOf = (emissionId: string): string => `${processId}:${emissionId}`;

  /** Resolves to undefined if nothing was added. */
  async function add(lane: Lane, emission: EmissionJob, options: JobsOptions): Promise<JobJson | undefined> {
    const { emissionId } = emission;
    const adding = lane.add(emission, options, tokenOf(emissionId));
    inProgress.set(emissionId, readEarly(emission));
    let added: DirectJob | undefined;
    try {
      added = await adding;
    } finally {
      if (typeof added !== 'object') inProgress.delete(emissionId);
    }
    if (added === 'restricted') lane.restrictedUntil = performance.now() + RESTRICTED_MS;
    return typeof added === 'object' ? added : undefined;
  }

  async function run(lane: Lane, job: JobJson): Promise<void> {
    await lane.run(job, tokenOf(job.id));
    inProgress.delete(job.id);
  }

  async function findAndRun(lane: Lane, emission: EmissionJob, options: JobsOptions): Promise<void> {
    const { emissionId } = emission;
    if (unknown.has(emissionId)) return;
    unknown.add(emissionId);
    const job = await lane.find(emission, options, tokenOf(emissionId));
    unknown.delete(emissionId);
    // A second try may have found it first.
    if (!job || inProgress.has(emissionId)) return;
    inProgress.set(emissionId, undefined);
    await run(lane, job);
  }

  return {
    inProgress,
    unknown,
    start(lane: Lane, emission: EmissionJob, options: JobsOptions) {
      const adding = add(lane, emission, options);
      const ended = adding.then(
        (job) => job && run(lane, job),
        () => findAndRun(lane, emission, options),
      );
      return { added: adding.then((job) => job !== undefined), ended };
    },
  };
}

function composeDirectPipeline(resources: Resources): EmitAppointmentDeps {
  const pipeline = composePipeline(resources, {
    // Capture compares it, and may be on in a worker.
    hasDigest: true,
    // The replies to job and claim arrive together. The bot's reply goes out first.
    afterClaim: nextTurn,
  });
  return {
    ...pipeline,
    async publish(...messages) {
      const published = await pipeline.publish(...messages);
      // The message arrives with this reply, or in the next turn. The gateway of this process sends it to the dashboards first.
      await nextTurn();
      await nextTurn();
      return published;
    },
  };
}

/** Measures every {@link MEASURE_EVERY_MS} whether the event loop is too busy. */
function measureLoad(maxUtilization: number) {
  let last = performance.eventLoopUtilization();
  let isBusy = false;
  const timer = setInterval(() => {
    const current = performance.eventLoopUtilization();
    isBusy = performance.eventLoopUtilization(current, last).utilization > maxUtilization;
    last = current;
  }, MEASURE_EVERY_MS).unref();
  return {
    isBusy: () => isBusy,
    close() {
      clearInterval(timer);
    },
  };
}

/** Resolves when the connection is lost, or now if there is none. */
async function whenDisconnected(connection: RedisClient): Promise<void> {
  if (connection.status === 'ready') await new Promise<void>((resolve) => connection.once('close', resolve));
}

/** Opens the connection that ends jobs. Its commands wait for Redis without limit, as in a worker. */
function openConnection({ config, outages, lifecycle }: Resources): RedisClient {
  const connection = connectRedis(config.REDIS_URL, 'direct');
  outages.redis('direct jobs', connection);
  lifecycle.onClose('redis: direct jobs', () => {
    connection.disconnect();
  });
  return connection;
}
