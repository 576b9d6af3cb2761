import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import { startRedis } from '../../scripts/services/redis.mjs';
import { createIndexes } from '../../src/population/indexes.ts';
import { createModels } from '../../src/population/models.ts';
import { closeQueues, openQueues } from '../../src/queue/open-queues.ts';
import { createDocuments } from '../../test/harness/documents.ts';
import { startBenchMongo } from './mongo.ts';
import { createSides } from './sides.ts';

export const API_KEY = 'bench-key-0123456789-0123456789-0123456789';
export const JWT_SECRET = 'bench-secret-0123456789-0123456789-0123456789';
const PREFIX = '{bench}';
/** As production has it, but for its rewrite, which comes between the rounds: else now one side had it, now the other. */
const AOF = ['--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'];
/** Inserted at once. */
const CHUNK = 100;
const LOOK_EVERY_MS = 20;

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** Resolves when Redis has written its AOF anew, which it does beside its work, on the same two cores. */
async function rewriteAof(redis: Redis): Promise<void> {
  const rewriting = async () => /aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'));
  while (await rewriting()) await pause(LOOK_EVERY_MS);
  await redis.bgrewriteaof();
  while (await rewriting()) await pause(LOOK_EVERY_MS);
}

/** Real servers with companies and their appointments; what runs on it is a process of its own. */
export async function openStage({ appointments = 2_000, companies = 1 } = {}) {
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
    // The limits are on, but what is measured is not how they refuse.
    RATE_PER_KEY: '1000000',
    RATE_PER_ADDRESS: '1000000',
  };
  const connection = createConnection();
  await connection.openUri(env['MONGODB_URI']!);
  const models = createModels(connection);
  await createIndexes(models);
  const documents = createDocuments(models);
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
  const sides = createSides(env);

  return {
    env,
    ids,
    models,
    redis,
    openQueues: open,
    queues,
    /** Of live bookings. */
    queue: queues.live,
    /** Of the servers, whose CPU is measured from outside. */
    pids: { redis: redisServer.pid, mongodb: mongoServer.pid },
    start: sides.start,
    /** Empties Redis between rounds. */
    async clear(): Promise<void> {
      await redis.flushall('SYNC'); // else Redis would free in the next side's time
      await rewriteAof(redis);
    },
    async close(): Promise<void> {
      sides.killAll();
      await closeQueues(queues);
      redis.disconnect();
      await connection.close(true);
      await mongoServer.stop();
      await redisServer.stop();
    },
  };
}
