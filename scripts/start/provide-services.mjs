import { join } from 'node:path';
import { startMongo } from '../services/mongo.mjs';
import { startRedis } from '../services/redis.mjs';
import { checkMongo } from './check-mongo.mjs';
import { checkRedis } from './check-redis.mjs';

const DATABASE = 'petbuddy';

/**
 * Takes the Redis and the MongoDB that the environment names, once they were seen to answer; starts what it doesn't.
 * @param {import('./start-everything.mjs').Start} start
 */
export async function provideServices({ say, started, runtimeDir }) {
  const { REDIS_URL, MONGODB_URI } = process.env;
  // Both first: a wrong address should not be found out after minutes of installing the other service.
  if (REDIS_URL) await checkRedis(REDIS_URL);
  if (MONGODB_URI) await checkMongo(MONGODB_URI);
  const redis = REDIS_URL
    ? given('Redis', 'REDIS_URL')
    : await own('Redis', startRedis({ dir: join(runtimeDir, 'data', 'redis'), log: told('Redis') }));
  const mongo = MONGODB_URI
    ? given('MongoDB', 'MONGODB_URI')
    : await own('MongoDB', startMongo({ dir: join(runtimeDir, 'data', 'mongodb'), log: told('MongoDB') }));
  return {
    redisUrl: redis?.url ?? REDIS_URL ?? '',
    mongodbUri: mongo ? `${mongo.url}/${DATABASE}` : (MONGODB_URI ?? ''),
    services: [redis, mongo].filter((service) => service !== undefined),
    isOurDatabase: mongo !== undefined,
  };

  function told(/** @type {string} */ name) {
    return (/** @type {string} */ line) => say(`${name}: ${line}`);
  }

  /** @returns {undefined} */
  function given(/** @type {string} */ name, /** @type {string} */ variable) {
    say(`${name}: using the one that ${variable} names`);
  }

  /** @param {string} name @param {Promise<import('../services/service.mjs').ServiceHandle>} starting */
  async function own(name, starting) {
    const service = await starting;
    started.push(service.stop);
    say(`${name}: started on port ${service.port}`);
    return service;
  }
}
