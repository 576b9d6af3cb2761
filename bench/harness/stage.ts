import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import { startRedis } from '../../scripts/services/redis.mjs';
import { QUEUE_NAME } from '../../src/contracts/names.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import { createModels } from '../../src/population/models.ts';
import { createDocuments } from '../../test/harness/documents.ts';
import { startBenchMongo } from './mongo.ts';
import { createSides } from './sides.ts';

export const API_KEY = 'bench-key-0123456789-0123456789-0123456789';
export const JWT_SECRET = 'bench-secret-0123456789-0123456789-0123456789';
const PREFIX = '{bench}';
/** Inserted at once. */
const CHUNK = 100;

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** Real servers with companies and their appointments; what runs on it is a process of its own. */
export async function openStage({ appointments = 2_000, companies = 1 } = {}) {
  const dir = join(process.env['BENCH_DIR']!, randomUUID().slice(0, 8));
  mkdirSync(dir, { recursive: true });
  // AOF as production has it; our own default, an fsync for every write, would measure the disk.
  const redisServer = await startRedis({ dir: join(dir, 'redis'), extraArgs: ['--appendfsync', 'everysec'] });
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
  const queue = new Queue(QUEUE_NAME, { connection: redis, prefix: PREFIX });
  const sides = createSides(env);

  return {
    env,
    ids,
    models,
    redis,
    queue,
    /** Of the servers, whose CPU is measured from outside. */
    pids: { redis: redisServer.pid, mongodb: mongoServer.pid },
    start: sides.start,
    /** Empties Redis between rounds. */
    async clear(): Promise<void> {
      await redis.flushall();
    },
    async close(): Promise<void> {
      sides.killAll();
      await queue.close();
      redis.disconnect();
      await connection.close(true);
      await mongoServer.stop();
      await redisServer.stop();
    },
  };
}
