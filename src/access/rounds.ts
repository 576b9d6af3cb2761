/** Shorter rests are collected: a timer for each piece would cost more than the piece. */
const MIN_REST_MS = 4;

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

/**
 * Companies, or reads of companies, that rest. One whose rest has ended for a while is forgotten.
 * @param maxRestMs  longest rest
 */
export function createRests(now: () => number, maxRestMs: number) {
  /** The last one of each, in the order in which they were added. */
  const rests = new Map<string, Rest>();

  function forgetOld(at: number): void {
    for (const [from, { until }] of rests) {
      if (at - until < maxRestMs) break;
      rests.delete(from);
    }
  }

  /** Makes it the last one. */
  function replace(from: string, rest: Rest): void {
    rests.delete(from);
    if (rest.owedMs > 0 || rest.until > now()) rests.set(from, rest);
  }

  return {
    has: (from: string): boolean => (rests.get(from)?.until ?? -Infinity) > now(),
    /** Makes the next rest longer. It begins none: work that never rests would prolong a rest for ever. */
    owe(from: string, ms: number): void {
      if (ms === 0) return;
      const at = now();
      forgetOld(at);
      const { until = at, owedMs = 0 } = rests.get(from) ?? {};
      replace(from, { until: Math.max(until, at), owedMs: owedMs + ms });
    },
    /** Begins a rest, with what is owed. @returns how long the company rests, in ms */
    add(from: string, ms: number): number {
      const at = now();
      forgetOld(at);
      const owedMs = ms > 0 ? (rests.get(from)?.owedMs ?? 0) + ms : 0;
      const restMs = owedMs < MIN_REST_MS ? 0 : Math.min(owedMs, maxRestMs);
      replace(from, { until: at + restMs, owedMs: restMs > 0 ? 0 : owedMs });
      return restMs;
    },
    end(from: string): void {
      rests.delete(from);
    },
    /** Milliseconds until the next rest ends. */
    untilNextEnd(): number {
      const at = now();
      const ends = [...rests.values()].map(({ until }) => until).filter((until) => until > at);
      return Math.max(1, Math.min(at + maxRestMs, ...ends) - at);
    },
    /** How many are remembered. */
    count: (): number => rests.size,
  };
}
