import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { pino } from 'pino';
import { createConnection } from 'mongoose';
import { loadApiConfig, loadWorkerConfig } from '../../src/config.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import type { ApiLimits } from '../../src/settings/limits.ts';
import { connectRedis } from '../../src/redis/connect.ts';
import { queueNames } from '@appointment-emissions/contracts';
import { createMongooseModels } from '../../demo/models.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { loadModel } from '../../src/model/load-model.ts';
import { createModels } from '../../src/population/models.ts';
import { createShardPlan } from '../../src/queue/shard-plan.ts';
import type { Shard } from '../../src/queue/shards.ts';
import { loadTracing } from '../../src/tracing/load-tracing.ts';
import { type RunningApi, startApi } from '../../src/api/start-api.ts';
import { type RunningWorker, startWorker } from '../../workers/start-worker.ts';
import { type Dashboard, type DashboardOptions, openDashboard, signToken } from './dashboard.ts';
import { createDocuments } from './documents.ts';
import { createJobs } from './jobs.ts';
import { freshDir } from './own-services.ts';
import { type Spawned, spawnProcess } from './processes.ts';
import { createRedisUsers, type Denial } from './redis-users.ts';
import { eventually, until } from './until.ts';

export const API_KEY = 'test-key-0123456789-0123456789-0123456789';
export const JWT_SECRET = 'test-secret-0123456789-0123456789-0123456789';

/** If a failed test has stopped a server, closing must not delay the other tests. */
const MAX_END_MS = 12_000;

const MAX_TRIES = 5;

export interface WorldOptions {
  /** Servers of one test, which may stop or freeze them; default: the servers that all tests share. */
  redisUrl?: string;
  mongoUri?: string;
  /** Settings for every process of this world. */
  env?: Record<string, string>;
  /** Limits of every API of this world. */
  limits?: Partial<ApiLimits>;
  /** Number of shards that the test reads. */
  shards?: number;
  /** Whether Redis should deny this. Anything else that it denies fails the test. */
  isExpectedDenial?: ((denial: Denial) => boolean) | undefined;
  /** Called with each log line of this world's APIs and workers. Without it they log nothing. */
  onLogLine?: (line: Record<string, unknown>) => void;
}

/** In this process a stop that hangs fails its test before the world gives up. */
const SHUTDOWN_DEADLINE_MS = 5_000;

export type World = Awaited<ReturnType<typeof createWorld>>;

/**
 * Creates the world of one test on real servers: a queue prefix, a database, an adapter key and companies. `close` ends
 * everything that was started through it, last in first out.
 */
export async function createWorld({
  redisUrl,
  mongoUri,
  env: extra = {},
  limits = {},
  shards: shardCount = 1,
  isExpectedDenial,
  onLogLine,
}: WorldOptions = {}) {
  const name = `t${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const server = mongoUri ?? process.env['TEST_MONGODB_URI']!;
  const env: Record<string, string> = {
    PORT: '0',
    MONGODB_URI: withDatabase(server, name),
    REDIS_URL: redisUrl ?? process.env['TEST_REDIS_URL']!,
    QUEUE_PREFIX: `{${name}}`,
    SOCKET_ADAPTER_KEY: name,
    INTERNAL_SERVICE_API_KEY: API_KEY,
    SOCKET_JWT_SECRET: JWT_SECRET,
    ADMIN_USER: 'admin',
    ADMIN_PASSWORD: 'admin-password',
    LOG_DIR: freshDir('logs'),
    EMISSION_BACKOFF_MS: '50',
    CANARY_INTERVAL_MS: '0',
    SHUTDOWN_DRAIN_MS: '0',
    ...extra,
  };
  const logger = createTestLogger(onLogLine);
  const open: (() => unknown)[] = [];

  const connection = createConnection();
  await connection.openUri(env['MONGODB_URI']!, { serverSelectionTimeoutMS: 5_000 });
  const documents = createDocuments(createMongooseModels(connection));
  const models = createModels(connection, DEFAULT_MODEL);
  const model = await loadModel(env['EMISSIONS_MODEL']);
  open.push(async () => {
    await connection.db?.dropDatabase().catch(() => undefined);
    await connection.close(true);
  });
  const redis = connectRedis(env['REDIS_URL']!, 'queue', () => undefined);
  open.push(() => {
    redis.disconnect();
  });
  const openQueue = (called: string, prefix: string): Queue => {
    const one = new Queue(called, { connection: redis, prefix });
    one.on('error', () => undefined);
    open.push(() => one.close());
    return one;
  };
  const shardPlan = createShardPlan(env['QUEUE_PREFIX']!);
  const shards = Array.from({ length: shardCount }, (_, index): Shard => {
    const [names, prefix] = [queueNames(index), shardPlan.prefixOf(index)];
    return { index, prefix, live: openQueue(names.live, prefix), bulk: openQueue(names.bulk, prefix) };
  });
  const { live: queue, bulk } = shards[0]!;
  const jobs = createJobs(shards);
  // The servers of one test may restart, and then have lost the users.
  const users = redisUrl
    ? undefined
    : await createRedisUsers(redis, env['REDIS_URL']!, {
        prefix: env['QUEUE_PREFIX']!,
        adapterKey: env['SOCKET_ADAPTER_KEY']!,
      });
  if (users) open.push(() => users.remove(isExpectedDenial));
  const apiEnv = { ...env, ...(users && { REDIS_URL: users.api }) };
  const workerEnv = { ...env, ...(users && { REDIS_URL: users.worker }) };

  /** Ends `started` with the world, unless the test ends it earlier. */
  function keep<T>(started: T, end: () => unknown): T {
    open.push(end);
    return started;
  }

  return {
    env,
    documents,
    /** For the reads of src/population, over the default model. */
    models,
    redis,
    /** Names of its companies' keys. */
    keys: createCompanyKeys(env['QUEUE_PREFIX']!),
    /** The live queue of shard 0. */
    queue,
    /** The bulk queue of shard 0. */
    bulk,
    shards,
    shardPlan,
    /** The jobs of all queues. */
    jobs,
    keep,

    async api(over: Record<string, string> = {}, own: Partial<ApiLimits> = {}): Promise<RunningApi> {
      const settings = loadApiConfig({ ...apiEnv, ...over });
      const config = { ...settings, SHUTDOWN_DEADLINE_MS, ...limits, ...own };
      const api = await startApi({ config, model, logger, tracing: loadTracing(), pageDir: 'dist/page' });
      return keep(api, api.close);
    },
    worker(over: Record<string, string> = {}): RunningWorker {
      const config = { ...loadWorkerConfig({ ...workerEnv, ...over }), SHUTDOWN_DEADLINE_MS };
      const worker = startWorker({ config, model, logger, tracing: loadTracing() });
      return keep(worker, worker.close);
    },
    async apiProcess(over: Record<string, string> = {}, own: Partial<ApiLimits> = {}): Promise<Spawned> {
      const spawned = await spawnProcess('api', { ...apiEnv, ...over }, { ...limits, ...own });
      return keep(spawned, spawned.stop);
    },
    async workerProcess(over: Record<string, string> = {}): Promise<Spawned> {
      const spawned = await spawnProcess('worker', { ...workerEnv, ...over });
      return keep(spawned, spawned.stop);
    },

    /** Resolves when the API is ready: `world.ready(world.api())`. */
    async ready<Api extends { url: string }>(starting: Promise<Api>): Promise<Api> {
      const api = await starting;
      await eventually('the API to be ready', async () => (await fetch(`${api.url}/readyz`)).ok);
      return api;
    },

    token: (companyId: string, lifetime?: string | number, claims?: Record<string, unknown>) =>
      signToken(JWT_SECRET, companyId, lifetime, claims),
    async dashboard(
      api: { url: string },
      companyId: string,
      over: Partial<DashboardOptions> = {},
    ): Promise<Dashboard> {
      const token = await signToken(JWT_SECRET, companyId);
      const dashboard = await openDashboard({ url: api.url, token, ...over });
      return keep(dashboard, dashboard.close);
    },

    /** Posts JSON to the internal API. */
    post: (api: { url: string }, path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${api.url}/api/v1/internal/socket/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, ...headers },
        body: JSON.stringify(body),
      }),
    /**
     * Posts one emission that must be accepted, and resolves to its id. If a busy machine makes the API exceed a time
     * limit, it posts again with the same key, as the bot does.
     */
    async emit(api: { url: string }, slug: string, appointmentId: string): Promise<string> {
      const headers = { 'Idempotency-Key': randomUUID() };
      for (let tries = 1; ; tries += 1) {
        const response = await this.post(api, slug, { appointmentId }, headers);
        const body = (await response.json()) as { emissionId?: string };
        if (body.emissionId !== undefined) return body.emissionId;
        if (response.status < 500 || tries === MAX_TRIES)
          throw new Error(`not accepted: ${response.status} ${JSON.stringify(body)}`);
      }
    },
    /** Resolves to the job when it has one of the states. */
    jobIn: (emissionId: string, ...states: string[]) =>
      eventually(
        `job ${emissionId} to be ${states.join(' or ')}`,
        async () => (states.includes(await jobs.stateOf(emissionId)) ? jobs.get(emissionId) : undefined),
        30_000,
      ),

    /** Ends everything that was started here. @throws if something does not end */
    async close(): Promise<void> {
      const errors: unknown[] = [];
      for (const end of open.splice(0).reverse()) {
        try {
          await until('something that the test started to end', Promise.resolve(end()), MAX_END_MS);
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw new AggregateError(errors, 'the world could not be closed');
    },
  };
}

function createTestLogger(onLogLine: WorldOptions['onLogLine']) {
  if (!onLogLine) return pino({ level: 'silent' });
  const write = (line: string) => {
    onLogLine(JSON.parse(line) as Record<string, unknown>);
  };
  return pino({ level: 'info' }, { write });
}

/** A server's URL with another database. */
export function withDatabase(uri: string, database: string | number): string {
  const url = new URL(uri);
  url.pathname = `/${database}`;
  return url.href;
}
