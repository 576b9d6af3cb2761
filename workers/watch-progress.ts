import type { Queue } from 'bullmq';
import type { WorkerCoreConfig } from '../src/config.ts';
import type { HealthStatus } from '../src/domain/health-status.ts';
import { watchWorkerProgress, type WorkerProgress } from '../src/liveness/worker-progress.ts';
import { readQueueDepth } from '../src/metrics/queue-depth.ts';
import type { Resources } from '../src/resources/open-resources.ts';

/** `live` and `bulk` are missing if canaries are off: then an idle worker looks like a stalled one. */
export interface Progress {
  live?: WorkerProgress;
  bulk?: WorkerProgress;
  verdict: () => HealthStatus;
}

/** Watches this process' progress in each queue separately, so that progress in one does not hide a stalled other. */
export function watchProgress(resources: Resources<WorkerCoreConfig>): Progress {
  const { config, redis, queues, metrics, lifecycle } = resources;
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
  metrics.watchProgress('worker', live.sinceMadeMs);
  return {
    live,
    bulk,
    verdict() {
      const verdict = live.verdict();
      return verdict.ok ? bulk.verdict() : verdict;
    },
  };
}
