import { setTimeout as pause } from 'node:timers/promises';
import { composeRepairs } from '../api/compose-repairs.ts';
import type { WorkerConfig } from '../config.ts';
import { connectRedis } from '../redis/connect.ts';
import { AppError, errorMessage } from '../errors.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import { createBulkPacer } from '../process/bulk-pacer.ts';
import { createLifecycle } from '../process/lifecycle.ts';
import { connectMongo } from '../population/connect.ts';
import { createModels } from '../population/models.ts';
import { createEnqueue } from '../queue/producer.ts';
import { openShards } from '../queue/shards.ts';
import { describeAccessError } from '../redis/access-errors.ts';
import type { RepairCommand } from '../repair/read-arguments.ts';

const CONNECT_WITHIN_MS = 5_000;
const CLOSE_WITHIN_MS = 5_000;

/** Connects, runs one repair and disconnects. @throws AppError if its arguments are invalid or a server is unavailable */
export async function runRepair(
  config: WorkerConfig,
  model: AppointmentModel,
  { repair, request }: RepairCommand,
): Promise<object> {
  const ignore = () => undefined;
  const lifecycle = createLifecycle({ deadlineMs: CLOSE_WITHIN_MS, onError: ignore });
  try {
    const reasons: { redis?: Error; mongo?: Error } = {};
    const redis = connectRedis(config.REDIS_URL, 'request', (error) => {
      reasons.redis = error;
    });
    lifecycle.onClose('redis', () => {
      redis.disconnect();
    });
    const mongo = connectMongo(config.MONGODB_URI, {
      serverSelectionMs: CONNECT_WITHIN_MS,
      onError: (error) => {
        reasons.mongo = error;
      },
    });
    lifecycle.onClose('mongodb', mongo.close);
    const shards = openShards({
      ...{ redis, prefix: config.QUEUE_PREFIX, shards: config.QUEUE_SHARDS },
      // The API and the workers report damage.
      ...{ reportDamage: ignore, onError: ignore },
    });
    lifecycle.onClose('queues', shards.close);

    await connected(
      'REDIS_URL',
      () => redis.status === 'ready',
      () => reasons.redis && describeAccessError(reasons.redis),
    );
    if (repair === 'reEmit') {
      await connected(
        'MONGODB_URI',
        () => mongo.connection.db !== undefined,
        () => reasons.mongo && errorMessage(reasons.mongo),
      );
    }
    await shards.update();
    const enqueue = createEnqueue({
      queuesOf: shards.of,
      redis,
      policy: { attempts: config.EMISSION_ATTEMPTS, firstRetryDelayMs: config.EMISSION_BACKOFF_MS },
      remember: ignore,
    });
    const models = createModels(mongo.connection, model);
    const { repairs } = composeRepairs({
      ...{ redis, shards, models, enqueue, pacer: createBulkPacer() },
      now: Date.now,
      reportDamage: ignore,
    });
    return await repairs[repair](request);
  } finally {
    await lifecycle.close();
  }
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
