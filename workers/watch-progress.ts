import type { Queue } from 'bullmq';
import type { WorkerCoreConfig } from '../src/config.ts';
import type { HealthStatus } from '../src/domain/health-status.ts';
import { watchWorkerProgress, type WorkerProgress } from '../src/liveness/worker-progress.ts';
import { readQueueDepth } from '../src/metrics/queue-depth.ts';
import type { Resources } from '../src/resources/open-resources.ts';

export interface Progress {
  /** Call when a job of the queue begins or ends. */
  made: (queue: Queue) => void;
  /**
   * ms since the last progress in the live queue of shard 0, which has the canaries. Undefined if canaries are off: then an idle worker
   * looks like a stalled one.
   */
  sinceMadeMs: (() => number) | undefined;
  verdict: () => HealthStatus;
}

/** Watches this process' progress in each queue separately, so that progress in one does not hide a stalled other. */
export function watchProgress(resources: Resources<WorkerCoreConfig>): Progress {
  const { config, redis, shards, metrics, lifecycle } = resources;
  if (config.CANARY_INTERVAL_MS === 0)
    return { made: () => undefined, sinceMadeMs: undefined, verdict: () => ({ ok: true }) };
  const watched = new Map<Queue, WorkerProgress>();
  const watch = (queue: Queue): void => {
    const progress = watchWorkerProgress({
      intervalMs: config.CANARY_INTERVAL_MS,
      oldestWaitingAgeMs: async () =>
        (await queue.isPaused()) ? null : (await readQueueDepth(redis, queue)).oldestWaitingAgeMs,
    });
    lifecycle.onClose(`progress in ${queue.name}`, progress.close);
    watched.set(queue, progress);
  };
  shards.each(({ live, bulk }) => {
    watch(live);
    watch(bulk);
  });
  const sinceMadeMs = (): number => watched.get(shards.first.live)?.sinceMadeMs() ?? 0;
  metrics.watchProgress('worker', sinceMadeMs);
  return {
    made: (queue) => watched.get(queue)?.made(),
    sinceMadeMs,
    verdict() {
      for (const progress of watched.values()) {
        const verdict = progress.verdict();
        if (!verdict.ok) return verdict;
      }
      return { ok: true };
    },
  };
}
