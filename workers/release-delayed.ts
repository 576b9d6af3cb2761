import type { Queue } from 'bullmq';
import type { RedisClient } from '../src/redis/connect.ts';
import { MAX_RETRY_DELAY_MS } from '../src/queue/retry-policy.ts';

export interface ReleaseDelayedDeps {
  redis: RedisClient;
  queues: () => readonly Queue[];
  /** Milliseconds since 1970, by the clock that all workers share. */
  now: () => number;
  onFault: (error: unknown) => void;
}

const CHECK_EVERY_MS = 2_000;
/** A job that is late by less is on time. */
const MARGIN_MS = 5_000;
const MAX_JOBS = 100;
/** BullMQ's score of a delayed job: due time × 4096, and a counter. */
const SCORE_PER_MS = 4_096;

/**
 * Releases delayed jobs that BullMQ would hold back too long because of a wrong clock. BullMQ computes the due time by the clock of
 * the worker that delays the job, and compares it with the clock of the worker that checks it. If the first is an hour ahead, the
 * job would wait an hour; if all workers are behind, no job would become due.
 */
export function releaseDelayed({ redis, queues, now, onFault }: ReleaseDelayedDeps): { close: () => void } {
  async function release(queue: Queue): Promise<void> {
    const key = queue.toKey('delayed');
    const tooLate = (now() - MARGIN_MS) * SCORE_PER_MS;
    const tooFar = (now() + MAX_RETRY_DELAY_MS + MARGIN_MS) * SCORE_PER_MS;
    const found = await Promise.all([
      redis.zrangebyscore(key, '-inf', tooLate, 'LIMIT', 0, MAX_JOBS),
      redis.zrangebyscore(key, tooFar, '+inf', 'LIMIT', 0, MAX_JOBS),
    ]);
    for (const jobId of found.flat()) {
      const job = await queue.getJob(jobId);
      // Another worker may have released it already.
      await job?.promote().catch(() => undefined);
    }
  }

  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    Promise.all(queues().map(release))
      .catch(onFault)
      .finally(() => {
        isRunning = false;
      });
  }, CHECK_EVERY_MS);
  return {
    close() {
      clearInterval(timer);
    },
  };
}
