import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import { startRedis } from '../../scripts/services/redis.mjs';
import { QUEUE_NAME } from '../../src/contracts/names.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import { createModels } from '../../src/population/models.ts';
import { createDocuments } from '../../test/harness/documents.ts';
import { startBenchMongo } from './mongo.ts';

export const API_KEY = 'bench-key-0123456789-0123456789-0123456789';
export const JWT_SECRET = 'bench-secret-0123456789-0123456789-0123456789';
const PREFIX = '{bench}';
const TOOLS_DIR = fileURLToPath(new URL('../../.runtime/bench', import.meta.url));

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** Real servers with a company and its appointments; what runs on it is a process of its own. */
export async function openStage({ appointments = 5_000, companies = 1 } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  // AOF as production has it; our own default, an fsync for every write, would measure the disk.
  const redisServer = await startRedis({ dir: join(dir, 'redis'), extraArgs: ['--appendfsync', 'everysec'] });
  const mongoServer = await startBenchMongo(join(dir, 'mongodb'), TOOLS_DIR);
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
    RECONCILE_INTERVAL_MS: '0',
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
    for (let from = 0; from < each; from += 100) {
      const made = await Promise.all(
        Array.from({ length: Math.min(100, each - from) }, () => company.appointment()),
      );
      ids.push(...made.map((appointmentId) => ({ appointmentId, companyId: company.companyId })));
    }
  }

  const redis = new Redis(env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
  const queue = new Queue(QUEUE_NAME, { connection: redis, prefix: PREFIX });
  const children = new Set<ChildProcess>();

  /** Starts a side as a process of its own and resolves with its first message. */
  async function start(file: string, over: Record<string, string> = {}) {
    const child = fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), {
      env: { ...env, ...over },
      execArgv: ['--import', 'tsx', ...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? [])],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.add(child);
    const ready = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`${file} ended at once`);
    return {
      ready: ready[0] as { url: string },
      child,
      stop: async (): Promise<void> => {
        children.delete(child);
        child.kill('SIGTERM');
        if (child.exitCode === null) await once(child, 'exit');
      },
    };
  }

  return {
    env,
    ids,
    models,
    redis,
    queue,
    start,
    /** Empties the queue between rounds. */
    async clear() {
      await queue.obliterate({ force: true });
      const keys = await redis.keys('{company:*');
      if (keys.length > 0) await redis.unlink(...keys);
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await queue.close();
      redis.disconnect();
      await connection.close(true);
      await mongoServer.stop();
      await redisServer.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
