export interface CoalesceOptions<K, V> {
  /** Does the work for all keys at once; one value per key, in their order. */
  run: (keys: readonly K[]) => Promise<readonly V[]>;
  /** Largest batch; where that changes it is asked for each. */
  maxBatch: number | (() => number);
  /** Batches under way at once. */
  maxInFlight?: number;
  /** While none is under way the first call is a batch by itself, at once: it does not wait for the turn to end. */
  firstAtOnce?: boolean;
}

interface Waiting<K, V> {
  key: K;
  resolve: (value: V) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes single calls share one `run`: what is asked for within one turn of the event loop goes together, and what
 * is asked for while a batch is under way is collected for the next. No timer: an idle caller waits for nothing, and
 * batches grow only under load. Nobody ever joins a batch that has begun, so what `run` reads was read after the call.
 */
export function coalesce<K, V>({
  run,
  maxBatch,
  maxInFlight = 1,
  firstAtOnce = false,
}: CoalesceOptions<K, V>): (key: K) => Promise<V> {
  const waiting: Waiting<K, V>[] = [];
  let inFlight = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || inFlight >= maxInFlight || waiting.length === 0) return;
    scheduled = true;
    if (firstAtOnce && inFlight === 0) void flush();
    setImmediate(() => {
      scheduled = false;
      if (waiting.length > 0 && inFlight < maxInFlight) void flush();
    });
  }

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, typeof maxBatch === 'number' ? maxBatch : maxBatch());
    inFlight += 1;
    schedule();
    try {
      const values = await run(batch.map(({ key }) => key));
      batch.forEach(({ resolve }, index) => {
        resolve(values[index] as V);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight -= 1;
      schedule();
    }
  }

  return (key) =>
    new Promise<V>((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      schedule();
    });
}

/** One after the other, of `size` at most: what is done for each leaves the event loop to others in between. */
export function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
