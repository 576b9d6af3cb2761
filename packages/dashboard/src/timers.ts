/** A timer that holds at most one pending call. */
export interface Alarm {
  readonly isSet: boolean;
  /** Replaces a pending call. */
  set: (delayMs: number, ring: () => void) => void;
  clear: () => void;
}

export function createAlarm(): Alarm {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clear = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    get isSet() {
      return timer !== undefined;
    },
    set(delayMs, ring) {
      clear();
      timer = setTimeout(() => {
        timer = undefined;
        ring();
      }, delayMs);
    },
    clear,
  };
}

export interface BackoffOptions {
  firstMs: number;
  longestMs: number;
  /** 0 to 1. */
  random: () => number;
}

/** Exponential backoff with full jitter. */
export interface Backoff {
  /**
   * A random delay between 0 and a bound that doubles with each call. The randomness spreads the reconnections of dashboards
   * that lost their connections at the same time.
   */
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
