import { APPOINTMENT_EVENTS, type AppointmentEvent } from '@appointment-emissions/contracts';
import { ignoreDamage, readFleet, type Fleet, type ReadDeps } from './fleet.ts';
import { metricsKeys, windowKeys } from './keys.ts';
import { percentiles, type Percentiles } from './latency-buckets.ts';
import { addUpCells, stageBuckets } from './latency-cells.ts';
import { STAGES, WINDOWS, type Stage, type Window } from './names.ts';
import { rates, rejections, type Counts, type Rates } from './rates.ts';
import { type Hash, readHashes, readStrings } from './read-counts.ts';

type Span = Window | 'total';

export interface MetricsReading {
  /** When, by Redis' clock: ISO 8601. */
  at: string;
  overall: Record<Span, Rates>;
  events: Record<AppointmentEvent, Record<Span, Rates>>;
  /** Requests turned away, by reason. */
  rejected: Record<Span, Record<string, number>>;
  /** Milliseconds, within 4.4 %. */
  latencyMs: Record<Stage, Record<Window, Percentiles>>;
  fleet: Fleet;
}

function addUp(hashes: Iterable<Hash | undefined>): Counts {
  const sums = new Map<string, number>();
  for (const hash of hashes)
    for (const [field, n] of Object.entries(hash ?? {})) sums.set(field, (sums.get(field) ?? 0) + n);
  return sums;
}

const mapObject = <K extends string, V>(keys: readonly K[], value: (key: K) => V) =>
  Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;

/**
 * The whole fleet's counts and latencies, whichever process asks. Two round trips, of about two hundred small keys:
 * share one reading among those who ask at the same time (`shareFor`).
 */
export async function readMetrics({
  redis,
  prefix = 'metrics',
  now,
  reportDamage = ignoreDamage,
}: ReadDeps): Promise<MetricsReading> {
  const keys = metricsKeys(prefix);
  const { nowMs, fleet } = await readFleet({ redis, prefix, reportDamage, ...(now && { now }) });
  const keysOf = windowKeys(keys, nowMs);
  const spanKeys = [...new Set(Object.values(keysOf).flat())];
  const [hashes, strings] = await Promise.all([
    readHashes(redis, [...spanKeys, keys.total], (key) => {
      reportDamage('metrics', { key });
    }),
    readStrings(redis, spanKeys.map(keys.latencies)),
  ]);

  const counts: Record<Span, Counts> = {
    ...mapObject(WINDOWS, (window) => addUp(keysOf[window].map((key) => hashes.get(key)))),
    total: addUp([hashes.get(keys.total)]),
  };
  const cells = mapObject(WINDOWS, (window) =>
    addUpCells(keysOf[window].map((key) => strings.get(keys.latencies(key)))),
  );
  const spans = [...WINDOWS, 'total'] as const;
  return {
    at: new Date(nowMs).toISOString(),
    overall: mapObject(spans, (span) => rates(counts[span])),
    events: mapObject(APPOINTMENT_EVENTS, (event) =>
      mapObject(spans, (span) => rates(counts[span], [event])),
    ),
    rejected: mapObject(spans, (span) => rejections(counts[span])),
    latencyMs: mapObject(STAGES, (stage) =>
      mapObject(WINDOWS, (window) => percentiles(stageBuckets(cells[window], stage))),
    ),
    fleet,
  };
}
