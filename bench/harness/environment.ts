import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import { defaultAdapterKey } from '@appointment-emissions/contracts';
import { startRedis } from '../../scripts/services/redis.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import { createMongooseModels } from '../../demo/models.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createModels } from '../../src/population/models.ts';
import { closeQueues, openQueues } from '../../src/queue/open-queues.ts';
import { createDocuments } from '../../test/harness/documents.ts';
import { startBenchMongo } from './mongo.ts';
import { createContenders } from './contenders.ts';

export const API_KEY = 'bench-key-0123456789-0123456789-0123456789';
export const JWT_SECRET = 'bench-secret-0123456789-0123456789-0123456789';
const PREFIX = '{bench}';
/**
 * Redis' AOF as in production, except that it is never rewritten automatically: a rewrite would slow down whichever
 * contender happens to run. It is rewritten between the rounds instead.
 */
const AOF = ['--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'];
/** Documents inserted at the same time. */
const CHUNK = 100;
const POLL_INTERVAL_MS = 20;

export type BenchEnvironment = Awaited<ReturnType<typeof openEnvironment>>;

/** Resolves when Redis has rewritten its AOF, which it does in the background and on the same cores. */
async function rewriteAof(redis: Redis): Promise<void> {
  const rewriting = async () => /aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'));
  while (await rewriting()) await pause(POLL_INTERVAL_MS);
  await redis.bgrewriteaof();
  while (await rewriting()) await pause(POLL_INTERVAL_MS);
}

/** Starts real servers and inserts companies with appointments. Contenders run on it as separate processes. */
export async function openEnvironment({ appointments = 2_000, companies = 1 } = {}) {
  const dir = join(process.env['BENCH_DIR']!, randomUUID().slice(0, 8));
  mkdirSync(dir, { recursive: true });
  const preload = process.env['BENCH_REDIS_PRELOAD'];
  const redisServer = await startRedis({
    dir: join(dir, 'redis'),
    extraArgs: AOF,
    ...(preload !== undefined && { env: { LD_PRELOAD: preload } }),
  });
  const mongoServer = await startBenchMongo(join(dir, 'mongodb'));
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    PORT: '0',
    REDIS_URL: redisServer.url,
    MONGODB_URI: `${mongoServer.url}/bench`,
    QUEUE_PREFIX: PREFIX,
    INTERNAL_SERVICE_API_KEY: API_KEY,
    SOCKET_JWT_SECRET: JWT_SECRET,
    ADMIN_USER: 'admin',
    ADMIN_PASSWORD: 'admin-password',
    LOG_DIR: join(dir, 'logs'),
    PROFILE_DIR: join(dir, 'profiles'),
    RECONCILE_INTERVAL_MS: '0',
    SHUTDOWN_DRAIN_MS: '0',
    // Rate limits stay on, but reject nothing: rejections are not measured.
    MAX_REQUESTS_PER_SECOND: '1000000',
    // One company has the load of all.
    MAX_LIVE_PER_COMPANY_PER_SECOND: '1000000',
  };
  const connection = createConnection();
  await connection.openUri(env['MONGODB_URI']!);
  const models = createModels(connection, DEFAULT_MODEL);
  await createIndexes(models);
  const documents = createDocuments(createMongooseModels(connection));
  const ids: { appointmentId: string; companyId: string }[] = [];
  for (let c = 0; c < companies; c += 1) {
    const company = await documents.company();
    const each = Math.ceil(appointments / companies);
    for (let from = 0; from < each; from += CHUNK) {
      const chunk = Array.from({ length: Math.min(CHUNK, each - from) }, () => company.appointment());
      const made = await Promise.all(chunk);
      ids.push(...made.map((appointmentId) => ({ appointmentId, companyId: company.companyId })));
    }
  }

  const redis = new Redis(env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
  const onError = (error: Error): never => {
    throw error;
  };
  const open = (prefix: string) => openQueues({ redis, prefix, onError });
  const queues = open(PREFIX);
  const contenders = createContenders(env);
  const stops: (() => Promise<void>)[] = [];

  return {
    /** For the data of this environment's servers. */
    dir,
    env,
    adapterKey: defaultAdapterKey(0, PREFIX),
    ids,
    models,
    redis,
    openQueues: open,
    queues,
    /** The live queue. */
    queue: queues.live,
    /** Process ids of the servers; their CPU time is read from outside. */
    pids: { redis: redisServer.pid, mongodb: mongoServer.pid },
    start: contenders.start,
    /** Registers a server that uses Redis or MongoDB: `close` stops it before them. */
    stopOnClose(stop: () => Promise<void>): void {
      stops.push(stop);
    },
    /** Empties Redis between rounds. */
    async clear(): Promise<void> {
      await redis.flushall('SYNC'); // asynchronously, Redis would free the memory while the next contender is measured
      await rewriteAof(redis);
    },
    async close(): Promise<void> {
      contenders.killAll();
      await Promise.all(stops.map((stop) => stop()));
      await closeQueues(queues);
      redis.disconnect();
      await connection.close(true);
      await mongoServer.stop();
      await redisServer.stop();
    },
  };
}
