import type { Change, Changes } from '../domain/changes.ts';

/** Changes that were read and are not processed yet. */
export interface ChangeBuffer {
  /** Removes and returns the changes that arrived at least `graceMs` ago, at most `limit`. @throws what the stream threw */
  takeDue: (graceMs: number, limit: number) => Change[];
  isEmpty: () => boolean;
  isClosed: () => boolean;
  /** Resolves when a change is due, at the latest after `maxMs`; earlier if a change arrives, the stream ends, or by `wake`. */
  untilDue: (graceMs: number, maxMs: number) => Promise<void>;
  /** Ends a wait. */
  wake: () => void;
  close: () => void;
}

/** Reads a stream as long as fewer than `max` changes are waiting. */
export function bufferChanges(changes: Changes, max: number): ChangeBuffer {
  const arrived: { change: Change; at: number }[] = [];
  let failure: { error: unknown } | undefined;
  let isClosed = false;
  let wake = (): void => undefined;
  let hasRoom = (): void => undefined;

  async function read(): Promise<void> {
    while (!isClosed) {
      const change = await changes.next();
      arrived.push({ change, at: performance.now() });
      wake();
      if (arrived.length >= max) {
        await new Promise<void>((resolve) => {
          hasRoom = resolve;
        });
      }
    }
  }
  read().catch((error: unknown) => {
    failure = { error };
    wake();
  });

  return {
    takeDue(graceMs, limit) {
      const until = performance.now() - graceMs;
      const firstYoung = arrived.findIndex(({ at }) => at > until);
      const due = arrived.splice(0, Math.min(limit, firstYoung === -1 ? arrived.length : firstYoung));
      if (arrived.length < max) hasRoom();
      // What was read before the failure is processed first.
      if (due.length === 0 && arrived.length === 0 && failure) throw failure.error;
      return due.map(({ change }) => change);
    },
    isEmpty: () => arrived.length === 0,
    isClosed: () => isClosed,
    async untilDue(graceMs, maxMs) {
      const [first] = arrived;
      const ms = first ? first.at + graceMs - performance.now() : maxMs;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, Math.max(ms, 0));
      });
      clearTimeout(timer);
    },
    wake: () => {
      wake();
    },
    close() {
      isClosed = true;
      hasRoom();
    },
  };
}
