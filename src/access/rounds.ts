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
    /** Removes the first item of the first queue that `isReady` accepts, given that item. */
    next(isReady: (from: string, item: T) => boolean): [from: string, item: T] | undefined {
      for (const [from, queue] of queues) {
        if (!isReady(from, queue[0] as T)) continue;
        const item = queue.shift() as T;
        queues.delete(from);
        if (queue.length > 0) queues.set(from, queue);
        return [from, item];
      }
      return undefined;
    },
  };
}

interface Rest {
  /** When it ends. */
  until: number;
  /** Rests that are too short for a timer so far. */
  owedMs: number;
}

/** Companies, or reads of companies, that rest. One whose rest has ended for a while is forgotten. */
export function createRests(now: () => number) {
  /** The last one of each, in the order in which they were added. */
  const rests = new Map<string, Rest>();

  function forgetOld(at: number): void {
    for (const [from, { until }] of rests) {
      if (at - until < MAX_REST_MS) break;
      rests.delete(from);
    }
  }

  return {
    has: (from: string): boolean => (rests.get(from)?.until ?? -Infinity) > now(),
    /**
     * Prolongs a rest, or begins one.
     * @returns how long the company rests from now, in ms
     */
    add(from: string, ms: number): number {
      const at = now();
      forgetOld(at);
      const before = rests.get(from);
      rests.delete(from);
      const owedMs = (before?.owedMs ?? 0) + ms;
      const isDue = owedMs >= MIN_REST_MS;
      const leftMs = Math.max(0, (before?.until ?? at) - at);
      const restMs = Math.min(leftMs + (isDue ? owedMs : 0), MAX_REST_MS);
      if (owedMs > 0 || restMs > 0) rests.set(from, { until: at + restMs, owedMs: isDue ? 0 : owedMs });
      return restMs;
    },
    end(from: string): void {
      rests.delete(from);
    },
    /** Milliseconds until the next rest ends. */
    untilNextEnd(): number {
      const at = now();
      const ends = [...rests.values()].map(({ until }) => until).filter((until) => until > at);
      return Math.max(1, Math.min(at + MAX_REST_MS, ...ends) - at);
    },
    /** How many are remembered. */
    count: (): number => rests.size,
  };
}
