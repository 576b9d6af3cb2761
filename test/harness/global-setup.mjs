import { join } from 'node:path';
import { makeTestRunDir, removeDeadTestRuns } from '../../scripts/process/run-dir.mjs';
import { startMongo } from '../../scripts/services/mongo.mjs';
import { startRedis } from '../../scripts/services/redis.mjs';

/**
 * One Redis and one MongoDB for all test files; each test makes its own world in them (a database, a queue prefix).
 * The tests find TEST_REDIS_URL and TEST_MONGODB_URI (no database in it: give `dbName`), and in TEST_RUN_DIR a folder
 * for whatever they start themselves.
 */
export default async function globalSetup() {
  await removeDeadTestRuns();
  const dir = makeTestRunDir();
  process.env.TEST_RUN_DIR = dir;
  const { REDIS_URL, MONGODB_URI } = process.env;
  const log = (/** @type {string} */ line) => console.log(line);
  const redis = REDIS_URL ? undefined : startRedis({ dir: join(dir, 'redis'), log });
  const mongo = MONGODB_URI ? undefined : startMongo({ dir: join(dir, 'mongodb'), log });
  const [redisStart, mongoStart] = await Promise.allSettled([redis, mongo]);
  for (const start of [redisStart, mongoStart]) if (start.status === 'rejected') throw start.reason;
  process.env.TEST_REDIS_URL = REDIS_URL || (await redis)?.url;
  process.env.TEST_MONGODB_URI = MONGODB_URI || (await mongo)?.url;
  globalThis.__sharedServices = { dir, services: [await redis, await mongo] };
}
