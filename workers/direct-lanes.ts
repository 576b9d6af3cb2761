import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { createRedisBackend, Job, type JobJson } from 'bullmq';
import type { ApiConfig } from '../src/config.ts';
import type { EmitAppointment } from '../src/emission/emit-appointment.ts';
import { type AddDirectJob, createAddDirectJob } from '../src/queue/add-direct-job.ts';
import type { Shard } from '../src/queue/shards.ts';
import type { RedisClient } from '../src/redis/connect.ts';
import type { Resources } from '../src/resources/open-resources.ts';
import { composeQuarantine, composeWorkerDeps } from './compose-worker.ts';
import { createEmissionWorker } from './emission-worker.ts';

/** A worker runs the job of a dead process after this time. Running jobs renew their locks. */
const LOCK_MS = 5_000;
/** Longer than the reply timeout of the request connection: by then Redis has the command, or never gets it. */
const FIND_AGAIN_MS = 1_000;

type EmissionWorker = ReturnType<typeof createEmissionWorker>;

/** What adds and ends the direct jobs of one shard. */
export interface Lane {
  add: AddDirectJob;
  /** Finds the job of an add without a reply, if Redis has it. It waits for Redis without limit, and never rejects. */
  find: (...job: Parameters<AddDirectJob>) => Promise<JobJson | undefined>;
  /** Runs a job that belongs to `token`. Never rejects. */
  run: (job: JobJson, token: string) => Promise<void>;
  /** By `performance.now()`: until then the queue counts as paused or limited. */
  restrictedUntil: number;
}

/** A lane for each shard that this process adds jobs to. They share a connection. */
export function composeLanes(
  resources: Resources<ApiConfig>,
  connection: RedisClient,
  emitAppointment: EmitAppointment,
) {
  const { config, redis, clock } = resources;
  const common = composeWorkerDeps(resources);
  const lanes = new Map<Shard, Lane & { worker: EmissionWorker }>();

  function open({ prefix, live }: Shard): Lane & { worker: EmissionWorker } {
    // It fetches no jobs. It runs and ends the jobs of this process.
    const worker = createEmissionWorker({
      ...common,
      redis: connection,
      // Without a connection that waits for jobs.
      createBackend: (name, options) => createRedisBackend(name, options),
      prefix,
      queueName: live.name,
      quarantine: composeQuarantine('live', live, resources),
      concurrency: config.API_CONCURRENCY,
      lockMs: LOCK_MS,
      emitAppointment,
      onProgress: () => undefined,
    });
    const adds = { queue: live, lockMs: LOCK_MS, now: clock.now };
    return {
      worker,
      run: createRun(worker, connection, common.onError),
      add: createAddDirectJob({ ...adds, redis }),
      find: createFind(
        createAddDirectJob({ ...adds, redis: connection, findsOnly: true }),
        connection,
        common.onError,
      ),
      restrictedUntil: 0,
    };
  }

  return {
    of(shard: Shard): Lane {
      const lane = lanes.get(shard) ?? open(shard);
      lanes.set(shard, lane);
      return lane;
    },
    close: (isForced: boolean) =>
      Promise.all([...lanes.values()].map(({ worker }) => worker.close(isForced))),
  };
}

/** Runs a job and renews its lock: BullMQ renews only the locks of jobs that its worker has fetched. */
function createRun(worker: EmissionWorker, connection: RedisClient, onError: (error: unknown) => void) {
  return async (job: JobJson, token: string): Promise<void> => {
    // The bot's reply goes out first, then the read.
    await nextTurn();
    await nextTurn();
    const renewing = setInterval(() => {
      if (connection.status !== 'ready') return;
      worker.extendJobLocks([job.id], [token], LOCK_MS).catch(onError);
    }, LOCK_MS / 3).unref();
    try {
      await worker.processJob(Job.fromJSON(worker, job), token, () => false);
    } catch (error) {
      onError(error);
    } finally {
      clearInterval(renewing);
    }
  };
}

/** Finds the job now, or a little later: the command that adds it may be under way. */
function createFind(
  find: AddDirectJob,
  connection: RedisClient,
  onError: (error: unknown) => void,
): Lane['find'] {
  return async (...job) => {
    try {
      let found = await find(...job);
      if (found === 'absent') {
        await pause(FIND_AGAIN_MS);
        found = await find(...job);
      }
      return typeof found === 'object' ? found : undefined;
    } catch (error) {
      // Not if this process closes.
      if (connection.status !== 'end') onError(error);
      return undefined;
    }
  };
}
