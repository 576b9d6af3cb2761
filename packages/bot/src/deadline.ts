import { setMaxListeners } from 'node:events';

export interface Deadline {
  /** Aborted when the deadline passes, when `end` is called, or when the parent signal is aborted. */
  signal: AbortSignal;
  /** Milliseconds left; 0 after the deadline. */
  leftMs(): number;
  /** Clears the timer and aborts the signal. */
  end(): void;
}

/** Starts a deadline `afterMs` from now. */
export function startDeadline(afterMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  // Each attempt of a batch adds a listener.
  setMaxListeners(0, controller.signal);
  const endsAt = performance.now() + afterMs;
  const abort = (): void => {
    controller.abort();
  };
  // The timer is not unreferenced: the process must stay alive until the call has ended.
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

/** Resolves after the time, or as soon as the signal is aborted. */
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

/** Settles like the promise, or resolves to undefined as soon as the signal is aborted. */
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
