import type { Queue } from 'bullmq';
import type { WorkerConfig } from '../src/config.ts';
import type { RedisClient } from '../src/redis/connect.ts';
import type { Lifecycle } from '../src/process/lifecycle.ts';
import type { HealthStatus } from '../src/liveness/verdict.ts';
import { watchWorkerProgress, type WorkerProgress } from '../src/liveness/worker-progress.ts';
import { readQueueDepth } from '../src/metrics/queue-depth.ts';
import type { EmissionQueues } from '../src/queue/open-queues.ts';

export interface WatchProgressDeps {
  config: WorkerConfig;
  redis: RedisClient;
  queues: EmissionQueues;
  lifecycle: Lifecycle;
}

/** This process' progress in each queue: a standstill in one must not be hidden by the other. Watched only where canaries are sent. */
export function watchProgress({ config, redis, queues, lifecycle }: WatchProgressDeps): {
  live?: WorkerProgress;
  bulk?: WorkerProgress;
  verdict: () => HealthStatus;
} {
  if (config.CANARY_INTERVAL_MS === 0) return { verdict: () => ({ ok: true }) };
  const watch = (queue: Queue): WorkerProgress => {
    const progress = watchWorkerProgress({
      intervalMs: config.CANARY_INTERVAL_MS,
      oldestWaitingAgeMs: async () =>
        (await queue.isPaused()) ? null : (await readQueueDepth(redis, queue)).oldestWaitingAgeMs,
    });
    lifecycle.onClose(`progress in ${queue.name}`, progress.close);
    return progress;
  };
  const [live, bulk] = [watch(queues.live), watch(queues.bulk)];
  return {
    live,
    bulk,
    verdict() {
      const verdict = live.verdict();
      return verdict.ok ? bulk.verdict() : verdict;
    },
  };
}
