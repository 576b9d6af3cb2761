export type LiveFirst = ReturnType<typeof createLiveFirst>;

/** Lets what is accepted in slices wait while live bookings are under way, at most so long; then it goes on beside them. */
export function createLiveFirst({ longestWaitMs }: { longestWaitMs: number }) {
  let underWay = 0;
  const waiting = new Set<() => void>();

  return {
    /** A live booking. */
    async live<T>(work: () => Promise<T>): Promise<T> {
      underWay += 1;
      try {
        return await work();
      } finally {
        underWay -= 1;
        if (underWay === 0) for (const goOn of waiting) goOn();
      }
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
