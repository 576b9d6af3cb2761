import { LATENCY_STAGES, type LatencyPercentiles, type LatencyStage } from '@appointment-emissions/contracts';
import type { MetricsRedis } from './keys.ts';

/**
 * Durations are counted in buckets on a logarithmic scale. Bucket counts of several processes can be added, so percentiles
 * are those of the fleet. Each bucket is 2^(1/8) times as wide as the one before; the value reported for a bucket differs
 * by at most 4.4 % from any value in it. The limits are part of what Redis stores: another growth needs other keys.
 */
const GROWTH = 2 ** (1 / 8);
export const RELATIVE_ERROR = (GROWTH - 1) / (GROWTH + 1);
const SMALLEST_MS = 0.01;
/** The last bucket has one hour and everything above, such as a wild value from a browser. */
export const BUCKETS = 229;

/** The bucket of a duration. Bucket 0 has everything up to 0.01 ms, negative durations included. */
export function bucketOf(ms: number): number {
  if (ms <= SMALLEST_MS) return 0;
  // The subtraction keeps a value at the limit of a bucket in that bucket, in spite of rounding.
  const bucket = Math.ceil(Math.log(ms / SMALLEST_MS) / Math.log(GROWTH) - 1e-9);
  return Math.min(Math.max(bucket, 1), BUCKETS - 1);
}

const valueOf = (bucket: number) => (bucket === 0 ? 0 : (SMALLEST_MS * GROWTH ** bucket * 2) / (GROWTH + 1));

/** @param counts  number of durations in each bucket */
export function percentiles(counts: ArrayLike<number>): LatencyPercentiles {
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

/**
 * One Redis string per slot or minute has the buckets of all stages, as unsigned 32-bit integers. Hash fields would be
 * readable, but to read the hour would mean to parse 18,000 of them: 40 ms of the only thread.
 */
const CELL_BYTES = 4;

/** Index of a bucket in that string. It must not change between versions: add new stages at the end. */
export const cellOf = (stage: LatencyStage, bucket: number): number =>
  LATENCY_STAGES.indexOf(stage) * BUCKETS + bucket;

/** Adds the cells of several strings. A missing string or the missing end of a short one counts as zeros. */
export function addUpCells(strings: Iterable<Buffer | null | undefined>): Float64Array {
  const sums = new Float64Array(LATENCY_STAGES.length * BUCKETS);
  for (const bytes of strings) {
    const cells = Math.min(sums.length, (bytes?.length ?? 0) / CELL_BYTES);
    for (let cell = 0; cell < cells; cell++)
      sums[cell] = (sums[cell] ?? 0) + (bytes?.readUInt32BE(cell * CELL_BYTES) ?? 0);
  }
  return sums;
}

/** The percentiles of one stage. @param cells  from `addUpCells` */
export function stagePercentiles(cells: Float64Array, stage: LatencyStage): LatencyPercentiles {
  return percentiles(cells.subarray(cellOf(stage, 0), cellOf(stage, BUCKETS)));
}

/** Reads the latencies of several keys in one round trip. */
export async function readLatencies(
  redis: MetricsRedis,
  keys: string[],
): Promise<Map<string, Buffer | null>> {
  const replies = await redis.mgetBuffer(keys);
  return new Map(replies.map((bytes, index) => [keys[index] ?? '', bytes]));
}
