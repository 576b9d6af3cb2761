/**
 * Log-scale buckets whose counts add up over processes, so that percentiles are the fleet's. Each is 2^(1/8) times
 * as wide as the one before; the value reported for a bucket is at most 4.4 % off any value in it.
 * Their limits are part of what lies in Redis: another growth needs other keys.
 */
const GROWTH = 2 ** (1 / 8);
export const RELATIVE_ERROR = (GROWTH - 1) / (GROWTH + 1);
const SMALLEST_MS = 0.01;
/** The last holds one hour and everything above, such as a wild value from a browser. */
export const BUCKETS = 229;

/** The bucket of a duration; bucket 0 holds everything up to 0.01 ms, negative durations included. */
export function bucketOf(ms: number): number {
  if (ms <= SMALLEST_MS) return 0;
  // The subtraction keeps an exact bucket limit in its bucket despite rounding.
  const bucket = Math.ceil(Math.log(ms / SMALLEST_MS) / Math.log(GROWTH) - 1e-9);
  return Math.min(Math.max(bucket, 1), BUCKETS - 1);
}

const valueOf = (bucket: number) => (bucket === 0 ? 0 : (SMALLEST_MS * GROWTH ** bucket * 2) / (GROWTH + 1));

export interface Percentiles {
  count: number;
  /** Milliseconds, or null when nothing was observed. */
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** @param counts how many durations fell into each bucket, by its number */
export function percentiles(counts: ArrayLike<number>): Percentiles {
  const inBuckets = Array.from(counts);
  const count = inBuckets.reduce((sum, n) => sum + n, 0);
  const at = (quantile: number) => {
    if (count === 0) return null;
    let left = Math.ceil(quantile * count);
    const bucket = inBuckets.findIndex((n) => (left -= n) <= 0);
    return Number(valueOf(bucket).toPrecision(3));
  };
  return { count, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
