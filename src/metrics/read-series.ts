import { ignoreDamage, readFleet, type ReadDeps } from './fleet.ts';
import { MINUTE_MS, metricsKeys, windowKeys } from './keys.ts';
import { percentiles } from './latency-buckets.ts';
import { addUpCells, stageBuckets } from './latency-cells.ts';
import { STAGES, type Outcome, type Stage } from './names.ts';
import { rates } from './rates.ts';
import { readHashes, readStrings } from './read-counts.ts';

/** The last hour by the minute, oldest first; the last minute is still filling. All lists are of one length. */
export interface MetricsSeries {
  /** When each minute began: seconds since the epoch, by Redis' clock. */
  minutes: number[];
  counts: Record<Outcome, number[]>;
  /** Milliseconds; null in a minute without an observation. */
  latencyMs: Record<Stage, { p50: (number | null)[]; p99: (number | null)[] }>;
}

/** The whole fleet's hour. Two round trips; share one reading among those who ask (`shareFor`). */
export async function readSeries({
  redis,
  prefix = 'metrics',
  now,
  reportDamage = ignoreDamage,
}: ReadDeps): Promise<MetricsSeries> {
  const keys = metricsKeys(prefix);
  const { nowMs } = await readFleet({ redis, prefix, reportDamage, ...(now && { now }) });
  const minuteKeys = windowKeys(keys, nowMs)['1h'].toReversed();
  const [hashes, strings] = await Promise.all([
    readHashes(redis, minuteKeys, (key) => {
      reportDamage('metrics', { key });
    }),
    readStrings(redis, minuteKeys.map(keys.latencies)),
  ]);

  const thisMinute = Math.floor(nowMs / MINUTE_MS);
  const counted = minuteKeys.map((key) => rates(new Map(Object.entries(hashes.get(key) ?? {}))));
  const cells = minuteKeys.map((key) => addUpCells([strings.get(keys.latencies(key))]));
  const outcome = (name: Outcome) => counted.map((minute) => minute[name]);
  const stage = (name: Stage) => {
    const perMinute = cells.map((minute) => percentiles(stageBuckets(minute, name)));
    return { p50: perMinute.map(({ p50 }) => p50), p99: perMinute.map(({ p99 }) => p99) };
  };
  return {
    minutes: minuteKeys.map((_, index) => ((thisMinute - minuteKeys.length + 1 + index) * MINUTE_MS) / 1_000),
    counts: {
      accepted: outcome('accepted'),
      published: outcome('published'),
      retried: outcome('retried'),
      failed: outcome('failed'),
    },
    latencyMs: Object.fromEntries(STAGES.map((name) => [name, stage(name)])) as MetricsSeries['latencyMs'],
  };
}
