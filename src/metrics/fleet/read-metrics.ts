import {
  APPOINTMENT_EVENTS,
  type EmissionOutcome,
  type FleetMetricsReading,
  type LatencyStage,
  type MetricsSpan,
  type SeriesReply,
} from '@appointment-emissions/contracts';
import { STAGES, WINDOWS } from '../names.ts';
import { addUp, rates, readCounts, readStrings, rejections, type Counts } from './counts.ts';
import { MINUTE_MS, metricsKeys, windowKeys } from './keys.ts';
import { addUpCells, stagePercentiles } from './latencies.ts';
import { ignoreDamage, readFleet, type ReadDeps } from './read-fleet.ts';

const SPANS = [...WINDOWS, 'total'] as const satisfies readonly MetricsSpan[];

const mapObject = <K extends string, V>(keys: readonly K[], value: (key: K) => V) =>
  Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;

/**
 * Counts and latencies of the whole fleet, the same from every process. Two round trips that read about two hundred small
 * keys: callers should share a reading (`shareFor`).
 */
export async function readMetrics({
  redis,
  prefix = 'metrics',
  now,
  reportDamage = ignoreDamage,
}: ReadDeps): Promise<Omit<FleetMetricsReading, 'queue'>> {
  const keys = metricsKeys(prefix);
  const { nowMs, fleet } = await readFleet({ redis, prefix, reportDamage, ...(now && { now }) });
  const keysOf = windowKeys(keys, nowMs);
  const allKeys = [...new Set(Object.values(keysOf).flat())];
  const [countsOf, stringOf] = await Promise.all([
    readCounts(redis, [...allKeys, keys.total], (key) => {
      reportDamage('metrics', { key });
    }),
    readStrings(redis, allKeys.map(keys.latencies)),
  ]);

  const counts: Record<MetricsSpan, Counts> = {
    ...mapObject(WINDOWS, (window) => addUp(keysOf[window].map((key) => countsOf.get(key)))),
    total: addUp([countsOf.get(keys.total)]),
  };
  const cells = mapObject(WINDOWS, (window) =>
    addUpCells(keysOf[window].map((key) => stringOf.get(keys.latencies(key)))),
  );
  return {
    at: new Date(nowMs).toISOString(),
    overall: mapObject(SPANS, (span) => rates(counts[span])),
    events: mapObject(APPOINTMENT_EVENTS, (event) =>
      mapObject(SPANS, (span) => rates(counts[span], [event])),
    ),
    rejected: mapObject(SPANS, (span) => rejections(counts[span])),
    latencyMs: mapObject(STAGES, (stage) =>
      mapObject(WINDOWS, (window) => stagePercentiles(cells[window], stage)),
    ),
    fleet,
  };
}

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
