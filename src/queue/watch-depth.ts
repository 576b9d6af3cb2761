export interface WatchDepthDeps {
  /** Emissions that wait. */
  read: () => Promise<number>;
  most: number;
  everyMs: number;
}

/**
 * Whether the queue holds as much as it may, read once in a while rather than for each request. While Redis does not
 * answer it counts as not full: adding tells.
 */
export function watchDepth({ read, most, everyMs }: WatchDepthDeps): {
  isFull: () => boolean;
  close: () => void;
} {
  let depth = 0;
  const look = async (): Promise<void> => {
    depth = await read().catch(() => 0);
  };
  const timer = setInterval(() => void look(), everyMs);
  return {
    isFull: () => depth >= most,
    close() {
      clearInterval(timer);
    },
  };
}
