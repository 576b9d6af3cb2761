/**
 * Callers within the same `ms` share one reading, also one that fails: a page polled by many, or a scrape of many
 * gauges, costs Redis one query.
 */
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
