import { setTimeout as pause } from 'node:timers/promises';
import type { WorkerConfig } from '../config.ts';
import { AppError, errorMessage } from '../errors.ts';
import { connectMongo, type MongoHandle } from '../population/connect.ts';
import { createLifecycle } from '../process/lifecycle.ts';
import { describeAccessError } from '../redis/access-errors.ts';
import { connectRedis, type RedisClient } from '../redis/connect.ts';

const CONNECT_WITHIN_MS = 5_000;
const CLOSE_WITHIN_MS = 5_000;

/** A command's own connections to both servers. */
export interface Servers {
  redis: RedisClient;
  mongo: MongoHandle;
  /** Resolves when Redis can be used. @throws AppError QUEUE_UNAVAILABLE with the reason after 5 s */
  redisReady: () => Promise<void>;
  /** The same for MongoDB. */
  mongoReady: () => Promise<void>;
  /** Registers what must be closed before the connections. */
  onClose: (name: string, close: () => unknown) => void;
  close: () => Promise<void>;
}

/** Begins to connect to the servers of a command's settings. */
export function connectServers({ REDIS_URL, MONGODB_URI }: WorkerConfig): Servers {
  const lifecycle = createLifecycle({ deadlineMs: CLOSE_WITHIN_MS, onError: () => undefined });
  const reasons: { redis?: Error; mongo?: Error } = {};
  const redis = connectRedis(REDIS_URL, 'request', (error) => {
    reasons.redis = error;
  });
  lifecycle.onClose('redis', () => {
    redis.disconnect();
  });
  const mongo = connectMongo(MONGODB_URI, {
    serverSelectionMs: CONNECT_WITHIN_MS,
    onError: (error) => {
      reasons.mongo = error;
    },
  });
  lifecycle.onClose('mongodb', mongo.close);
  const whyNoRedis = () => reasons.redis && describeAccessError(reasons.redis);
  const whyNoMongo = () => reasons.mongo && errorMessage(reasons.mongo);
  return {
    redis,
    mongo,
    redisReady: () => connected('REDIS_URL', () => redis.status === 'ready', whyNoRedis),
    mongoReady: () => connected('MONGODB_URI', () => mongo.connection.db !== undefined, whyNoMongo),
    onClose: lifecycle.onClose,
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
