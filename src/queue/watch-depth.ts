export interface WatchDepthDeps {
  /** Number of waiting emissions. */
  read: () => Promise<number>;
  maxDepth: number;
  everyMs: number;
}

/**
 * Knows whether the queue is full. The depth is read at intervals, not for each request. While Redis does not answer the
 * queue counts as not full: adding a job then fails by itself.
 */
export function watchDepth({ read, maxDepth, everyMs }: WatchDepthDeps): {
  isFull: () => boolean;
  close: () => void;
} {
  let depth = 0;
  const update = async (): Promise<void> => {
    depth = await read().catch(() => 0);
  };
  const timer = setInterval(() => void update(), everyMs);
  return {
    isFull: () => depth >= maxDepth,
    close() {
      clearInterval(timer);
    },
  };
}
