export interface BackoffOptions {
  firstMs: number;
  longestMs: number;
  /** 0 to 1. */
  random: () => number;
}

export interface Backoff {
  /** Somewhere between 0 and a bound that doubles with each call: dashboards cut off together come back apart. */
  nextMs: () => number;
  reset: () => void;
}

export function createBackoff({ firstMs, longestMs, random }: BackoffOptions): Backoff {
  let boundMs = firstMs;
  return {
    nextMs() {
      const delayMs = random() * boundMs;
      boundMs = Math.min(boundMs * 2, longestMs);
      return delayMs;
    },
    reset() {
      boundMs = firstMs;
    },
  };
}
