import { BUCKETS } from './latency-buckets.ts';
import { STAGES, type Stage } from './names.ts';

/**
 * All stages' buckets of one slot or minute lie in one Redis string of unsigned 32-bit integers. A hash field each would
 * be readable, but makes a reading of the hour parse 18,000 of them: 40 ms of the answering process' only thread.
 */
const CELL_BYTES = 4;

/** Where a bucket lies; stable between versions as long as stages are only ever added at the end. */
export const cellOf = (stage: Stage, bucket: number) => STAGES.indexOf(stage) * BUCKETS + bucket;

type LatencyCells = Float64Array;

/** Adds up what lies in several strings; a missing one holds nothing, a short one zeros. */
export function addUpCells(strings: Iterable<Buffer | null | undefined>): LatencyCells {
  const sums = new Float64Array(STAGES.length * BUCKETS);
  for (const bytes of strings) {
    const cells = Math.min(sums.length, (bytes?.length ?? 0) / CELL_BYTES);
    for (let cell = 0; cell < cells; cell++)
      sums[cell] = (sums[cell] ?? 0) + (bytes?.readUInt32BE(cell * CELL_BYTES) ?? 0);
  }
  return sums;
}

/** How many durations of a stage fell into each bucket. */
export function stageBuckets(cells: LatencyCells, stage: Stage): LatencyCells {
  return cells.subarray(cellOf(stage, 0), cellOf(stage, BUCKETS));
}
