export interface Recent<T> {
  find: (key: string) => T | undefined;
  keep: (key: string, value: T) => void;
}

/** Keeps values in memory for `keptMs`, and at most `max` of them. If there are more, the oldest is removed. */
export function createRecent<T>({ keptMs, max }: { keptMs: number; max: number }): Recent<T> {
  /** Oldest first. */
  const kept = new Map<string, { value: T; until: number }>();
  let timer: NodeJS.Timeout | undefined;

  function removeExpired(): void {
    const now = performance.now();
    for (const [key, { until }] of kept) {
      if (until > now) break;
      kept.delete(key);
    }
    timer = undefined;
    if (kept.size > 0) schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(removeExpired, keptMs).unref();
  }

  return {
    find(key) {
      const found = kept.get(key);
      return found && found.until > performance.now() ? found.value : undefined;
    },
    keep(key, value) {
      kept.delete(key);
      kept.set(key, { value, until: performance.now() + keptMs });
      if (kept.size > max) kept.delete(kept.keys().next().value ?? key);
      schedule();
    },
  };
}
