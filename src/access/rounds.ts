/** Shorter rests are collected: a timer for each piece would cost more than the piece. */
const MIN_REST_MS = 4;
const MAX_REST_MS = 200;

/** A queue for each company. They are emptied in turns. */
export function createRounds<T>() {
  /** In the order of their turns. */
  const queues = new Map<string, T[]>();
  return {
    isEmpty: () => queues.size === 0,
    count: (from: string): number => queues.get(from)?.length ?? 0,
    add(from: string, item: T): void {
      const queue = queues.get(from);
      if (queue) queue.push(item);
      else queues.set(from, [item]);
    },
    removeAll(from: string): T[] {
      const queue = queues.get(from) ?? [];
      queues.delete(from);
      return queue;
    },
    /** Removes the first item of the first queue that `isReady` accepts. */
    next(isReady: (from: string) => boolean = () => true): [from: string, item: T] | undefined {
      for (const [from, queue] of queues) {
        if (!isReady(from)) continue;
        const item = queue.shift() as T;
        queues.delete(from);
        if (queue.length > 0) queues.set(from, queue);
        return [from, item];
      }
      return undefined;
    },
  };
}

/** Companies, or reads of companies, that rest. */
export function createRests(now: () => number) {
  const ends = new Map<string, number>();
  /** Rests that are too short for a timer so far. */
  const owedMs = new Map<string, number>();

  return {
    has(from: string): boolean {
      const end = ends.get(from);
      if (end !== undefined && now() >= end) ends.delete(from);
      return ends.has(from);
    },
    /** @returns how long the company rests, in ms */
    add(from: string, ms: number): number {
      const owed = ms > 0 ? (owedMs.get(from) ?? 0) + ms : 0;
      owedMs.delete(from);
      if (owed === 0) return 0;
      if (owed < MIN_REST_MS) {
        owedMs.set(from, owed);
        return 0;
      }
      const restMs = Math.min(owed, MAX_REST_MS);
      ends.set(from, now() + restMs);
      return restMs;
    },
    end(from: string): void {
      ends.delete(from);
    },
    /** Milliseconds until the next rest ends. */
    untilNextEnd(): number {
      const at = now();
      for (const [from, end] of ends) if (end <= at) ends.delete(from);
      return Math.max(1, Math.min(at + MAX_REST_MS, ...ends.values()) - at);
    },
  };
}
