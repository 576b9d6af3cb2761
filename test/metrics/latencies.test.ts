import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bucketOf, BUCKETS, percentiles, RELATIVE_ERROR } from '../../src/metrics/fleet/latencies.ts';
import { useFleet } from './world.ts';

const fleets = useFleet();
/** The bucket's, and three digits' rounding. */
const TOLERANCE = RELATIVE_ERROR + 0.005;

function nearestRank(sorted: readonly number[], quantile: number): number {
  return sorted[Math.ceil(quantile * sorted.length) - 1]!;
}

function expectClose(found: number | null, exact: number) {
  expect(Math.abs(found! - exact) / exact).toBeLessThanOrEqual(TOLERANCE);
}

test('percentiles of two processes are those of all durations together, within 5 %', async () => {
  const fleet = fleets.start();
  const [fast, slow] = [fleet.process(), fleet.process()];
  // Skewed, as latencies are: 1 ms to 3 s.
  const all = Array.from({ length: 2_000 }, (_, i) => Math.exp((8 * i) / 2_000));
  for (const [i, ms] of all.entries()) (i % 3 ? fast : slow).observe('wait', ms);
  await fast.flush();
  await slow.flush();

  const { latencyMs } = await fleet.read();
  for (const window of ['1m', '5m', '1h'] as const) {
    const { count, p50, p95, p99 } = latencyMs.wait[window];
    expect(count).toBe(2_000);
    expectClose(p50, nearestRank(all, 0.5));
    expectClose(p95, nearestRank(all, 0.95));
    expectClose(p99, nearestRank(all, 0.99));
  }
  expect(latencyMs.load['5m'].count).toBe(0);
});

test('an invalid duration does not change the percentiles', async () => {
  const fleet = fleets.start();
  const worker = fleet.process();
  for (const ms of [Number.NaN, Infinity, -Infinity]) worker.observe('wait', ms);
  worker.observe('wait', -5);
  await worker.flush();
  expect((await fleet.read()).latencyMs.wait['1m']).toEqual({ count: 1, p50: 0, p95: 0, p99: 0 });
  expect(await worker.registry.metrics()).toContain('emission_stage_duration_seconds_sum{stage="wait"} 0');
});

describe('buckets', () => {
  test('give each percentile of durations from 10 µs to an hour within 5 %', () => {
    const duration = fc.double({ min: 0.01, max: 3_600_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 50 }), (durations) => {
        const counts = Array.from({ length: BUCKETS }, () => 0);
        for (const ms of durations) counts[bucketOf(ms)]!++;
        const sorted = durations.toSorted((a, b) => a - b);
        const { count, p50, p95, p99 } = percentiles(counts);
        expect(count).toBe(durations.length);
        // The first bucket counts very short durations as 0.
        for (const [found, quantile] of [
          [p50, 0.5],
          [p95, 0.95],
          [p99, 0.99],
        ] as const)
          // prettier-ignore
          if (found !== 0) expectClose(found, nearestRank(sorted, quantile));
      }),
    );
  });

  test('are few, whatever the durations', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (ms) => {
        expect(bucketOf(ms)).toBeGreaterThanOrEqual(0);
        expect(bucketOf(ms)).toBeLessThan(BUCKETS);
      }),
    );
  });
});
