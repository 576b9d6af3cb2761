import { setTimeout as pause } from 'node:timers/promises';
import type { WorkerConfig } from '../config.ts';
import { AppError, errorMessage } from '../errors.ts';
import { connectMongo, type MongoHandle } from '../population/connect.ts';
import { createLifecycle } from '../process/lifecycle.ts';
import { openShards, type Shards } from '../queue/shards.ts';
import { describeAccessError } from '../redis/access-errors.ts';
import { connectRedis, type RedisClient } from '../redis/connect.ts';

const CONNECT_WITHIN_MS = 5_000;
/** MongoDB's driver reports why it cannot connect after this time: before the command gives up. */
const SELECT_WITHIN_MS = 4_000;
const CLOSE_WITHIN_MS = 5_000;
const ignore = (): void => undefined;

/** A command's own connections to both servers. */
export interface Servers {
  redis: RedisClient;
  mongo: MongoHandle;
  /** Resolves when Redis can be used. @throws AppError QUEUE_UNAVAILABLE with the reason after 5 s */
  redisReady: () => Promise<void>;
  /** The same for MongoDB. */
  mongoReady: () => Promise<void>;
  /** Opens the queues of all shards that may have jobs. It changes nothing in Redis. @throws AppError QUEUE_UNAVAILABLE */
  openShards: () => Promise<Shards>;
  close: () => Promise<void>;
}

/** Begins to connect to the servers of a command's settings. */
export function connectServers(config: WorkerConfig): Servers {
  const { REDIS_URL, MONGODB_URI } = config;
  const lifecycle = createLifecycle({ deadlineMs: CLOSE_WITHIN_MS, onError: ignore });
  const reasons: { redis?: Error; mongo?: Error } = {};
  const redis = connectRedis(REDIS_URL, 'operator', (error) => {
    reasons.redis = error;
  });
  lifecycle.onClose('redis', () => {
    redis.disconnect();
  });
  const mongo = connectMongo(MONGODB_URI, {
    serverSelectionMs: SELECT_WITHIN_MS,
    onError: (error) => {
      reasons.mongo = error;
    },
  });
  lifecycle.onClose('mongodb', mongo.close);
  const whyNoRedis = () => reasons.redis && describeAccessError(reasons.redis);
  const whyNoMongo = () => reasons.mongo && errorMessage(reasons.mongo);
  const redisReady = () => connected('REDIS_URL', () => redis.status === 'ready', whyNoRedis);
  return {
    redis,
    mongo,
    redisReady,
    mongoReady: () => connected('MONGODB_URI', () => mongo.connection.db !== undefined, whyNoMongo),
    async openShards() {
      const shards = openShards({
        ...{ redis, prefix: config.QUEUE_PREFIX, shards: config.QUEUE_SHARDS, registers: false },
        // The API and the workers report damage.
        ...{ reportDamage: ignore, onError: ignore },
      });
      lifecycle.onClose('queues', shards.close);
      await redisReady();
      await shards.update();
      return shards;
    },
    close: lifecycle.close,
  };
}

async function connected(
  setting: string,
  isReady: () => boolean,
  reason: () => string | undefined,
): Promise<void> {
  const giveUpAt = performance.now() + CONNECT_WITHIN_MS;
  while (!isReady()) {
    if (performance.now() > giveUpAt) {
      throw new AppError(
        'QUEUE_UNAVAILABLE',
        `the server of ${setting} does not respond: ${reason() ?? 'it accepts connections and sends nothing'}`,
      );
    }
    await pause(20);
  }
}
