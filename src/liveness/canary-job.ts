import type { JobsOptions, Queue } from 'bullmq';
import { z } from 'zod';
import type { RedisClient } from '../redis/connect.ts';
import { isWrongType } from '../redis/redis-errors.ts';
import { CANARY } from '@appointment-emissions/contracts';
import { boundedText } from '../domain/bounded.ts';
import { AppError } from '../errors.ts';

const schema = z.object({ gatewayId: boundedText(200), canaryId: boundedText(200) });

/** A job without an appointment. The worker publishes it to the gateway that sent it. */
export type CanaryJob = z.infer<typeof schema>;

/** @throws AppError JOB_INVALID */
export function parseCanaryJob(data: unknown): CanaryJob {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new AppError('JOB_INVALID', 'the canary has no gateway');
}

/** Canaries are removed when they end, so counts of emissions never include one. */
const OPTIONS: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true };
const PUBLISHED_TTL_MS = 300_000;

const jobId = (canaryId: string): string => `canary-${canaryId}`;
const publishedKey = (prefix: string, gatewayId: string): string => `${prefix}:canary:${gatewayId}`;

/** Enqueues canaries of a gateway and finds out what happened to one. @throws if Redis is unavailable */
export function createCanaryQueue(deps: {
  queue: Queue;
  redis: RedisClient;
  prefix: string;
  gatewayId: string;
}) {
  const { queue, redis, prefix, gatewayId } = deps;
  return {
    send: async (canaryId: string): Promise<void> => {
      const job: CanaryJob = { gatewayId, canaryId };
      await queue.add(CANARY, job, { ...OPTIONS, jobId: jobId(canaryId) });
    },
    fateOf: async (canaryId: string): Promise<'published' | 'waiting' | 'lost'> => {
      const published = await redis.get(publishedKey(prefix, gatewayId)).catch((error: unknown) => {
        // Another program wrote it. The next published canary replaces it.
        if (isWrongType(error)) return null;
        throw error;
      });
      if (published === canaryId) return 'published';
      return (await redis.exists(queue.toKey(jobId(canaryId)))) === 1 ? 'waiting' : 'lost';
    },
  };
}

/** Records for the gateway that its canary was published. */
export function createNotePublished({ redis, prefix }: { redis: RedisClient; prefix: string }) {
  return async ({ gatewayId, canaryId }: CanaryJob): Promise<void> => {
    await redis.set(publishedKey(prefix, gatewayId), canaryId, 'PX', PUBLISHED_TTL_MS);
  };
}
