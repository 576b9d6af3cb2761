interface Deps {
  intervalMs: number;
  /** Settles in bounded time. */
  send: () => Promise<void>;
  isIdle: () => boolean;
  /** @param failuresInARow 1 for the first since the last success */
  onFailure: (error: unknown, failuresInARow: number) => void;
}

const LONGEST_PAUSE_MS = 5_000;

/** Sends at most once per interval, one send at a time; no timer runs while there is nothing to send. */
export function createFlushLoop({ intervalMs, send, isIdle, onFailure }: Deps) {
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<boolean> = Promise.resolve(true);
  let failuresInARow = 0;
  let stopped = false;

  async function attempt(): Promise<boolean> {
    clearTimeout(timer);
    timer = undefined;
    try {
      if (!isIdle()) await send();
      failuresInARow = 0;
      return true;
    } catch (error) {
      onFailure(error, ++failuresInARow);
      return false;
    } finally {
      if (!isIdle()) wake();
    }
  }

  /** Resolves, after those asked for before, to whether everything counted so far is in Redis; never rejects. */
  function flush(): Promise<boolean> {
    last = last.then(attempt);
    return last;
  }

  /** Sees to it that what was just added is sent in time. */
  function wake(): void {
    if (timer || stopped) return;
    const pauseMs = Math.min(intervalMs * 2 ** failuresInARow, LONGEST_PAUSE_MS);
    // flush() never rejects, and the next one awaits it. The timer alone keeps no process alive.
    timer = setTimeout(() => void flush(), pauseMs).unref();
  }

  return {
    flush,
    wake,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
