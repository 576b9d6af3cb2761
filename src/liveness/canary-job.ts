import type { JobsOptions, Queue } from 'bullmq';
import { z } from 'zod';
import type { RedisClient } from '../redis/connect.ts';
import { isWrongType } from '../redis/wrong-type.ts';
import { CANARY } from '@appointment-emissions/contracts';
import { AppError } from '../errors.ts';

const schema = z.object({ gatewayId: z.string().min(1), canaryId: z.string().min(1) });

/** A job without a document: it asks for nothing but to come back to the gateway that sent it. */
export type CanaryJob = z.infer<typeof schema>;

/** @throws AppError JOB_INVALID */
export function parseCanaryJob(data: unknown): CanaryJob {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new AppError('JOB_INVALID', 'this canary names no gateway');
}

/** Leaves nothing behind, so that no count of emissions ever has a canary in it. */
const OPTIONS: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true };
const REMEMBERED_MS = 300_000;

const jobId = (canaryId: string): string => `canary-${canaryId}`;
const publishedKey = (prefix: string, gatewayId: string): string => `${prefix}:canary:${gatewayId}`;

/** Sends a gateway's canaries, and tells how far one has come. @throws when Redis is away */
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
        // Another program wrote it. The next canary that is published replaces it.
        if (isWrongType(error)) return null;
        throw error;
      });
      if (published === canaryId) return 'published';
      return (await redis.exists(queue.toKey(jobId(canaryId)))) === 1 ? 'waiting' : 'lost';
    },
  };
}

/** Notes for the gateway that its canary was published. */
export function createNotePublished({ redis, prefix }: { redis: RedisClient; prefix: string }) {
  return async ({ gatewayId, canaryId }: CanaryJob): Promise<void> => {
    await redis.set(publishedKey(prefix, gatewayId), canaryId, 'PX', REMEMBERED_MS);
  };
}
