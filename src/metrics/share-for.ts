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
