export interface CoalesceOptions<K, V> {
  /** Does the work for all keys at once; one value per key, in their order. */
  run: (keys: readonly K[]) => Promise<readonly V[]>;
  /** Maximum size of a batch; a function gets the number of calls that wait. */
  maxBatch: number | ((waiting: number) => number);
  /** Maximum number of batches in flight. */
  maxInFlight?: number;
  /** If no batch is in flight, the first call runs at once, as a batch of one, without waiting for the turn to end. */
  firstAtOnce?: boolean;
}

interface Waiting<K, V> {
  key: K;
  resolve: (value: V) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes single calls share one `run`: calls of one turn of the event loop form a batch, and calls during a batch are
 * collected for the next one. There is no timer, so batches grow only under load. Calls never join a batch in flight, so
 * a result is never older than the call.
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
    const batch = waiting.splice(0, typeof maxBatch === 'number' ? maxBatch : maxBatch(waiting.length));
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

/** Splits a list into chunks of at most `size` items. */
export function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** Calls within `ms` share one reading, also a failed one: many gauges of one scrape cost one query to Redis. */
export function shareFor<T>(ms: number, read: () => Promise<T>): () => Promise<T> {
  let shared: Promise<T> | undefined;
  let staleAt = 0;
  return () => {
    const now = performance.now();
    if (!shared || now >= staleAt) {
      shared = read();
      staleAt = now + ms;
    }
    return shared;
  };
}

/**
 * Reads each place, for example the queues of each shard. `undefined` for one that cannot be read: a node of a Cluster can be
 * unavailable while others work.
 * @throws the first error if none can be read
 */
export async function readAvailable<P, T>(
  places: readonly P[],
  read: (place: P) => Promise<T>,
): Promise<(T | undefined)[]> {
  const results = await Promise.allSettled(places.map(read));
  const [first] = results;
  if (first?.status === 'rejected' && results.every(({ status }) => status === 'rejected'))
    throw first.reason;
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
}
