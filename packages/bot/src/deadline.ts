import { setMaxListeners } from 'node:events';

export interface Deadline {
  signal: AbortSignal;
  /** Milliseconds left; 0 once it has passed. */
  leftMs(): number;
  /** Clears the timer. Everything that listens to the signal ends with it. */
  end(): void;
}

/** A point in time that aborts the work still under way when it comes, or earlier when the parent is aborted. */
export function startDeadline(afterMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  // A batch has many attempts under way that end with it.
  setMaxListeners(0, controller.signal);
  const endsAt = performance.now() + afterMs;
  const abort = (): void => {
    controller.abort();
  };
  // The timer keeps the process alive on purpose: what it bounds is short, and worth finishing.
  const timer = setTimeout(abort, afterMs);
  if (parent?.aborted) abort();
  parent?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    leftMs: () => (controller.signal.aborted ? 0 : Math.max(0, endsAt - performance.now())),
    end() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', abort);
      controller.abort();
    },
  };
}

/** Resolves after the time, or at once when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** Settles as the promise does, or with undefined as soon as the signal is aborted. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => {
      resolve(undefined);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}
