import { join } from 'node:path';
import { startMongo } from '../services/mongo.ts';
import { startRedis } from '../services/redis.ts';
import type { ServiceHandle } from '../services/service.ts';
import { checkMongo } from './check-mongo.ts';
import { checkRedis } from './check-redis.ts';

/** Name of the database in the MongoDB that `npm start` runs. */
export const DATABASE = 'petbuddy';

interface Services {
  redisUrl: string;
  /** With the database. */
  mongodbUri: string;
  /** The servers that were started here. */
  own: ServiceHandle[];
  /** Whether the MongoDB was started here: then the demo's data may be written to it. */
  isOwnDatabase: boolean;
}

interface ProvideServicesOptions {
  say: (line: string) => void;
  /** Receives a function for each server that has to be ended. */
  started: (() => unknown)[];
  runtimeDir: string;
}

/** Uses the Redis and the MongoDB that the environment names, if they answer; starts those that it does not name. */
export async function provideServices({
  say,
  started,
  runtimeDir,
}: ProvideServicesOptions): Promise<Services> {
  const { REDIS_URL, MONGODB_URI } = process.env;
  // Both first, since starting a server can include minutes of installing it.
  if (REDIS_URL) await checkRedis(REDIS_URL);
  if (MONGODB_URI) await checkMongo(MONGODB_URI);
  const redis = REDIS_URL ? undefined : await start('Redis', 'redis', startRedis);
  if (REDIS_URL) say('Redis: using REDIS_URL');
  const mongo = MONGODB_URI ? undefined : await start('MongoDB', 'mongodb', startMongo);
  if (MONGODB_URI) say('MongoDB: using MONGODB_URI');
  return {
    redisUrl: redis?.url ?? REDIS_URL ?? '',
    mongodbUri: mongo ? `${mongo.url}/${DATABASE}` : (MONGODB_URI ?? ''),
    own: [redis, mongo].filter((service) => service !== undefined),
    isOwnDatabase: mongo !== undefined,
  };

  async function start(name: string, folder: string, startServer: typeof startMongo): Promise<ServiceHandle> {
    const log = (line: string): void => {
      say(`${name}: ${line}`);
    };
    const service = await startServer({ dir: join(runtimeDir, 'data', folder), log });
    started.push(service.stop);
    log(`started on port ${service.port}`);
    return service;
  }
}
