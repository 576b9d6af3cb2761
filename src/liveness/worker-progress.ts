import type { HealthStatus } from '../domain/health-status.ts';

export interface WorkerProgressDeps {
  /** How often the queue is looked at; canaries come as often. */
  intervalMs: number;
  /** Age of the oldest job that waits, `null` where none waits or the queue is paused. @throws when Redis is away */
  oldestWaitingAgeMs: () => Promise<number | null>;
}

export interface WorkerProgress {
  /** A job was taken up, or ended, however it ended. */
  made: () => void;
  /** Red where jobs wait and this worker takes none. */
  verdict: () => HealthStatus;
  /** ms since progress was made, or since the start. */
  sinceMadeMs: () => number;
  close: () => void;
}

const INTERVALS_UNTIL_RED = 6;

/**
 * Judges a worker by what it gets done, since BullMQ can say that it runs and process nothing. While Redis does not
 * answer there is no verdict against the worker: a restart would not mend Redis.
 */
export function watchWorkerProgress({ intervalMs, oldestWaitingAgeMs }: WorkerProgressDeps): WorkerProgress {
  const patienceMs = INTERVALS_UNTIL_RED * intervalMs;
  let madeAt = performance.now();
  let seen: { ageMs: number; at: number } | undefined;

  const timer = setInterval(() => {
    oldestWaitingAgeMs().then(
      (ageMs) => {
        seen = ageMs === null ? undefined : { ageMs, at: performance.now() };
      },
      () => {
        seen = undefined;
      },
    );
  }, intervalMs);

  return {
    made: () => {
      madeAt = performance.now();
    },
    verdict() {
      const idleMs = performance.now() - madeAt;
      if (!seen || idleMs <= patienceMs || seen.ageMs <= patienceMs) return { ok: true };
      const [waits, idle] = [seconds(seen.ageMs), seconds(idleMs)];
      return {
        ok: false,
        detail: `a job has waited for ${waits} s, but this worker has taken none for ${idle} s`,
      };
    },
    sinceMadeMs: () => performance.now() - madeAt,
    close: () => {
      clearInterval(timer);
    },
  };
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;
