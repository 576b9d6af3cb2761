import type { EmissionOutcome, LatencyStage, SeriesReply } from '@appointment-emissions/contracts';
import { STAGES } from '../names.ts';
import { rates, readCounts, readStrings } from './counts.ts';
import { MINUTE_MS, metricsKeys, windowKeys } from './keys.ts';
import { addUpCells, stagePercentiles } from './latencies.ts';
import { ignoreDamage, readFleet, type ReadDeps } from './read-fleet.ts';

export type MetricsSeries = Omit<SeriesReply, 'success'>;

/** The last hour of the whole fleet by the minute, by Redis' clock. Two round trips: callers should share a reading (`shareFor`). */
export async function readSeries({
  redis,
  prefix = 'metrics',
  now,
  reportDamage = ignoreDamage,
}: ReadDeps): Promise<MetricsSeries> {
  const keys = metricsKeys(prefix);
  const { nowMs } = await readFleet({ redis, prefix, reportDamage, ...(now && { now }) });
  const minuteKeys = windowKeys(keys, nowMs)['1h'].toReversed();
  const [countsOf, stringOf] = await Promise.all([
    readCounts(redis, minuteKeys, (key) => {
      reportDamage('metrics', { key });
    }),
    readStrings(redis, minuteKeys.map(keys.latencies)),
  ]);

  const thisMinute = Math.floor(nowMs / MINUTE_MS);
  const counted = minuteKeys.map((key) => rates(countsOf.get(key) ?? new Map()));
  const cells = minuteKeys.map((key) => addUpCells([stringOf.get(keys.latencies(key))]));
  const outcome = (name: EmissionOutcome) => counted.map((minute) => minute[name]);
  const stage = (name: LatencyStage) => {
    const perMinute = cells.map((minute) => stagePercentiles(minute, name));
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
