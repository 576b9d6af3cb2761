export type YieldToLive = ReturnType<typeof createYieldToLive>;

export interface YieldToLiveOptions {
  /** A slice waits so long for the live bookings under way; then it goes on beside them. */
  longestWaitMs: number;
  /** So long after a live booking others are still expected. */
  expectedForMs: number;
  /** While they are, the processor is left to them for so long after each slice. */
  restMs: number;
  pause: (ms: number) => Promise<unknown>;
}

/** Lets what is accepted in slices wait for live bookings. */
export function createYieldToLive({ longestWaitMs, expectedForMs, restMs, pause }: YieldToLiveOptions) {
  let underWay = 0;
  let liveAt = -Infinity;
  const waiting = new Set<() => void>();
  const isExpected = (): boolean => performance.now() - liveAt < expectedForMs;

  return {
    /** A live booking. */
    async live<T>(work: () => Promise<T>): Promise<T> {
      underWay += 1;
      liveAt = performance.now();
      try {
        return await work();
      } finally {
        underWay -= 1;
        if (underWay === 0) for (const goOn of waiting) goOn();
      }
    },
    /** Whether one came lately, so that more are to be expected. */
    isExpected,
    /** Resolves at once where none is expected. */
    async rest(): Promise<void> {
      if (isExpected()) await pause(restMs);
    },
    /** Resolves when none is under way, or after the longest wait. */
    async pass(): Promise<void> {
      if (underWay === 0) return;
      await new Promise<void>((resolve) => {
        const goOn = (): void => {
          clearTimeout(timer);
          waiting.delete(goOn);
          resolve();
        };
        const timer = setTimeout(goOn, longestWaitMs);
        waiting.add(goOn);
      });
    },
  };
}
