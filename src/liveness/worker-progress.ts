import type { HealthStatus } from '../domain/health-status.ts';

export interface WorkerProgressDeps {
  /** How often the queue is read. Canaries are sent as often. */
  intervalMs: number;
  /** Age of the oldest waiting job; `null` if none waits or the queue is paused. Rejects if Redis is unavailable. */
  oldestWaitingAgeMs: () => Promise<number | null>;
}

export interface WorkerProgress {
  /** Call when a job starts or ends. */
  made: () => void;
  /** Not ok if jobs wait and this worker starts none. */
  verdict: () => HealthStatus;
  /** ms since the last progress, or since the start. */
  sinceMadeMs: () => number;
  close: () => void;
}

const MAX_IDLE_INTERVALS = 6;

/**
 * Measures the progress of a worker, since BullMQ can report that it runs although it processes nothing. While Redis does
 * not reply the worker counts as ok: a restart would not repair Redis.
 */
export function watchWorkerProgress({ intervalMs, oldestWaitingAgeMs }: WorkerProgressDeps): WorkerProgress {
  const maxIdleMs = MAX_IDLE_INTERVALS * intervalMs;
  let madeAt = performance.now();
  /** Null while it is unknown, too. */
  let oldestAgeMs: number | null = null;

  const timer = setInterval(() => {
    oldestWaitingAgeMs().then(
      (ageMs) => {
        oldestAgeMs = ageMs;
      },
      () => {
        oldestAgeMs = null;
      },
    );
  }, intervalMs);

  return {
    made: () => {
      madeAt = performance.now();
    },
    verdict() {
      const idleMs = performance.now() - madeAt;
      if (oldestAgeMs === null || idleMs <= maxIdleMs || oldestAgeMs <= maxIdleMs) return { ok: true };
      return {
        ok: false,
        detail: `a job has waited for ${seconds(oldestAgeMs)} s, but this worker has taken none for ${seconds(idleMs)} s`,
      };
    },
    sinceMadeMs: () => performance.now() - madeAt,
    close: () => {
      clearInterval(timer);
    },
  };
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;
