export type YieldToLive = ReturnType<typeof createYieldToLive>;

export interface YieldToLiveOptions {
  /** How long a slice waits for live emissions in progress; then it continues beside them. */
  maxWaitMs: number;
  /** How long after a live emission more are expected. */
  expectedForMs: number;
  /** How long a batch rests after each slice while live emissions are expected. */
  restMs: number;
  pause: (ms: number) => Promise<unknown>;
}

/** Makes bulk work, which is done in slices, yield to live emissions. */
export function createYieldToLive({ maxWaitMs, expectedForMs, restMs, pause }: YieldToLiveOptions) {
  let inProgress = 0;
  let lastLiveAt = -Infinity;
  const waiting = new Set<() => void>();
  const isExpected = (): boolean => performance.now() - lastLiveAt < expectedForMs;

  return {
    /** Accepts a live emission. */
    async live<T>(work: () => Promise<T>): Promise<T> {
      inProgress += 1;
      lastLiveAt = performance.now();
      try {
        return await work();
      } finally {
        inProgress -= 1;
        if (inProgress === 0) for (const resume of waiting) resume();
      }
    },
    /** Whether a live emission came recently, so that more are expected. */
    isExpected,
    /** Pauses if live emissions are expected. */
    async rest(): Promise<void> {
      if (isExpected()) await pause(restMs);
    },
    /** Resolves when no live emission is in progress, or after the maximum wait. */
    async pass(): Promise<void> {
      if (inProgress === 0) return;
      await new Promise<void>((resolve) => {
        const resume = (): void => {
          clearTimeout(timer);
          waiting.delete(resume);
          resolve();
        };
        const timer = setTimeout(resume, maxWaitMs);
        waiting.add(resume);
      });
    },
  };
}
