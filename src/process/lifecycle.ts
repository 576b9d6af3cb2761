import { errorMessage } from '../errors.ts';

export type Close = () => unknown;

export interface Lifecycle {
  /** Registers a started part. Parts are closed last in, first out. */
  onClose: (name: string, close: Close) => void;
  /** Idempotent. Closes everything even if one part fails or hangs; resolves within the deadline. */
  close: () => Promise<void>;
}

export interface LifecycleOptions {
  deadlineMs: number;
  onError: (name: string, error: Error) => void;
}

/** Closes everything that a process started. */
export function createLifecycle({ deadlineMs, onError }: LifecycleOptions): Lifecycle {
  const started: { name: string; close: Close }[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    for (const { name, close } of started.toReversed()) {
      try {
        await within(Math.max(deadline - performance.now(), 50), name, Promise.resolve().then(close));
      } catch (error) {
        onError(name, error instanceof Error ? error : new Error(errorMessage(error)));
      }
    }
  }

  return {
    onClose: (name, close) => void started.push({ name, close }),
    close: () => (closing ??= closeAll()),
  };
}

/** Runs a part of the start. If it throws, everything that was started is closed, in the background. */
export function closeIfThrows<T>(lifecycle: Pick<Lifecycle, 'close'>, start: () => T): T {
  try {
    return start();
  } catch (error) {
    void lifecycle.close();
    throw error;
  }
}

/** Settles as `promise` does, or rejects after `ms`. @param what  names the operation in the error @throws DeadlineExceeded */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlineExceeded(`${what} took longer than ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}
