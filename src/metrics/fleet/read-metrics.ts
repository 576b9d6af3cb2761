import {
  APPOINTMENT_EVENTS,
  type EmissionOutcome,
  type FleetMetricsReading,
  LATENCY_STAGES,
  type LatencyStage,
  METRICS_WINDOWS,
  type MetricsSpan,
  type OutcomesByEvent,
  type QueueName,
  QUEUES,
  type SeriesReply,
} from '@appointment-emissions/contracts';
import { EMISSION_SOURCES } from '../../domain/emission-log.ts';
import { OUTCOMES, sourceField } from '../names.ts';
import { addUp, rates, readCounts, rejections, type Counts } from './counts.ts';
import { MINUTE_MS, metricsKeys, windowKeys } from './keys.ts';
import { addUpCells, readLatencies, stagePercentiles } from './latencies.ts';
import { ignoreDamage, readFleet, type ReadDeps } from './read-fleet.ts';

const SPANS = [...METRICS_WINDOWS, 'total'] as const satisfies readonly MetricsSpan[];

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
    readLatencies(redis, allKeys.map(keys.latencies)),
  ]);

  const counts: Record<MetricsSpan, Counts> = {
    ...mapObject(METRICS_WINDOWS, (window) => addUp(keysOf[window].map((key) => countsOf.get(key)))),
    total: addUp([countsOf.get(keys.total)]),
  };
  const cells = mapObject(METRICS_WINDOWS, (window) =>
    addUpCells(keysOf[window].map((key) => stringOf.get(keys.latencies(key)))),
  );
  const outcomes = (queue?: QueueName): OutcomesByEvent => ({
    overall: mapObject(SPANS, (span) => rates(counts[span], { ...(queue && { queue }) })),
    events: mapObject(APPOINTMENT_EVENTS, (event) =>
      mapObject(SPANS, (span) => rates(counts[span], { events: [event], ...(queue && { queue }) })),
    ),
  });
  return {
    at: new Date(nowMs).toISOString(),
    ...outcomes(),
    byQueue: mapObject(QUEUES, outcomes),
    bySource: mapObject(EMISSION_SOURCES, (source) =>
      mapObject(SPANS, (span) => counts[span].get(sourceField(source)) ?? 0),
    ),
    rejected: mapObject(SPANS, (span) => rejections(counts[span])),
    latencyMs: mapObject(LATENCY_STAGES, (stage) =>
      mapObject(METRICS_WINDOWS, (window) => stagePercentiles(cells[window], stage)),
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
    readLatencies(redis, minuteKeys.map(keys.latencies)),
  ]);

  const thisMinute = Math.floor(nowMs / MINUTE_MS);
  const minuteCounts = minuteKeys.map((key): Counts => countsOf.get(key) ?? new Map());
  const cells = minuteKeys.map((key) => addUpCells([stringOf.get(keys.latencies(key))]));
  const outcomes = (queue?: QueueName): Record<EmissionOutcome, number[]> => {
    const counted = minuteCounts.map((counts) => rates(counts, { ...(queue && { queue }) }));
    return mapObject(OUTCOMES, (outcome) => counted.map((minute) => minute[outcome]));
  };
  const stage = (name: LatencyStage) => {
    const perMinute = cells.map((minute) => stagePercentiles(minute, name));
    return { p50: perMinute.map(({ p50 }) => p50), p99: perMinute.map(({ p99 }) => p99) };
  };
  return {
    minutes: minuteKeys.map((_, index) => ((thisMinute - minuteKeys.length + 1 + index) * MINUTE_MS) / 1_000),
    counts: outcomes(),
    byQueue: mapObject(QUEUES, outcomes),
    latencyMs: Object.fromEntries(
      LATENCY_STAGES.map((name) => [name, stage(name)]),
    ) as MetricsSeries['latencyMs'],
  };
}
