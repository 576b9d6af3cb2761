/** So long what nobody waits for lets live bookings pass, before it goes on beside them. */
const LONGEST_WAIT_MS = 10;

/** Lets what is accepted in slices wait while live bookings are under way. */
export function createLiveFirst() {
  let underWay = 0;
  let waiting: (() => void)[] = [];

  return {
    /** A live booking. */
    async live<T>(work: () => Promise<T>): Promise<T> {
      underWay += 1;
      try {
        return await work();
      } finally {
        underWay -= 1;
        if (underWay === 0) {
          for (const goOn of waiting) goOn();
          waiting = [];
        }
      }
    },
    /** Resolves when none is under way, or after 10 ms. */
    async pass(): Promise<void> {
      if (underWay === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LONGEST_WAIT_MS);
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}
