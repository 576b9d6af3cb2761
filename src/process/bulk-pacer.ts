import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BulkState, decideBulkShare, FIRST_BULK_STATE, MIN_SHARE } from './bulk-share.ts';

/** Makes the bulk work of a process yield to its live emissions. */
export interface BulkPacer {
  /** Does the work of a live emission. */
  live: <T>(work: () => Promise<T>) => Promise<T>;
  /**
   * Does a slice of bulk work. Beside live emissions it rests first, and waits for live work in progress, both in proportion to
   * the duration of the slice before.
   * @param maxWaitMs  upper limit of rest and wait together
   */
  bulk: <T>(work: () => Promise<T>, maxWaitMs?: number) => Promise<T>;
  /** Whether this process began live work within the last second, so that a slice of bulk work should be short. */
  isBesideLive: () => boolean;
}

export interface BulkPacerDeps {
  pause?: (ms: number) => Promise<unknown>;
  /** Monotonic milliseconds. */
  now?: () => number;
  /** Share of the time (0 to 1) in which the event loop was busy since the last call. */
  readUtilization?: () => number;
  /** How busy the event loop may be beside live emissions, 0 to 1. */
  targetUtilization?: number;
}

interface AllowanceDeps {
  now: () => number;
  readUtilization?: BulkPacerDeps['readUtilization'] | undefined;
  targetUtilization?: BulkPacerDeps['targetUtilization'];
  /** Whether something else needs the event loop. */
  isBesideLive: () => boolean;
}

/** How long after a live emission more are expected. */
const LIVE_EXPECTED_MS = 1_000;
/** Time between two decisions. A measurement over a longer time says little about the present. */
const MEASURE_MS = { min: 100, max: 1_000 };
/** A slice can last long because a server is unavailable. The rest after it has this limit. */
const MAX_REST_MS = 200;

export function createBulkPacer({
  pause = sleep,
  now = () => performance.now(),
  readUtilization,
  targetUtilization,
}: BulkPacerDeps = {}): BulkPacer {
  const live = createLiveWork(now);
  const allowanceNow = createAllowance({
    now,
    readUtilization,
    targetUtilization,
    isBesideLive: live.isExpected,
  });
  let lastSlice = { endedAt: -Infinity, tookMs: 0 };

  async function waitForTurn(maxWaitMs: number): Promise<void> {
    const allowance = allowanceNow();
    if (!live.isExpected()) return;
    const { endedAt, tookMs } = lastSlice;
    const latest = now() + maxWaitMs;
    const restMs = (share: number): number =>
      Math.min(endedAt + Math.min(tookMs / share - tookMs, MAX_REST_MS), latest) - now();
    const ownRestMs = restMs(allowance);
    if (ownRestMs > 0) await pause(ownRestMs);
    await live.ended(restMs(MIN_SHARE));
  }

  return {
    isBesideLive: live.isExpected,
    live: (work) => live.run(work),
    async bulk(work, maxWaitMs = Infinity) {
      await waitForTurn(maxWaitMs);
      const startedAt = now();
      try {
        return await work();
      } finally {
        const endedAt = now();
        lastSlice = { endedAt, tookMs: endedAt - startedAt };
      }
    },
  };
}

/** Runs live work, and knows whether some is in progress or expected. */
function createLiveWork(now: () => number) {
  let lastStartedAt = -Infinity;
  let inProgress = 0;
  const resumeWaiting = new Set<() => void>();

  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      inProgress += 1;
      lastStartedAt = now();
      try {
        return await work();
      } finally {
        inProgress -= 1;
        if (inProgress === 0) for (const resume of resumeWaiting) resume();
      }
    },
    isExpected: (): boolean => now() - lastStartedAt < LIVE_EXPECTED_MS,
    /** Resolves when no live work is in progress, or after `maxWaitMs`. */
    async ended(maxWaitMs: number): Promise<void> {
      if (inProgress === 0 || !(maxWaitMs > 0)) return;
      await new Promise<void>((resolve) => {
        const resume = (): void => {
          clearTimeout(timer);
          resumeWaiting.delete(resume);
          resolve();
        };
        const timer = setTimeout(resume, maxWaitMs);
        resumeWaiting.add(resume);
      });
    },
  };
}

/**
 * The share of the time (0 to 1) that bulk work gets now. It is decided at most once in 100 ms, and when live emissions begin or
 * end.
 */
export function createAllowance({
  now,
  readUtilization = createReadUtilization(),
  targetUtilization,
  isBesideLive,
}: AllowanceDeps): () => number {
  let state: BulkState = FIRST_BULK_STATE;
  let allowance = 1;
  let decided = { at: -Infinity, isBesideLive: false };

  return () => {
    const sinceMs = now() - decided.at;
    if (sinceMs < MEASURE_MS.min && decided.isBesideLive === isBesideLive()) return allowance;
    const measured = readUtilization();
    const isMeaningful = sinceMs >= MEASURE_MS.min && sinceMs < MEASURE_MS.max;
    decided = { at: now(), isBesideLive: isBesideLive() };
    ({ state, allowance } = decideBulkShare(
      state,
      {
        utilization: isMeaningful ? measured : undefined,
        isBesideLive: decided.isBesideLive,
      },
      targetUtilization,
    ));
    return allowance;
  };
}

function createReadUtilization(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, last);
    last = current;
    return utilization;
  };
}
