import type { Cluster, Redis } from 'ioredis';
import type { MetricsWindow } from '@appointment-emissions/contracts';

/** The commands that the metrics use: on a single Redis, Sentinel or Cluster. */
export type MetricsRedis = Pick<Redis | Cluster, 'evalsha' | 'eval' | 'pipeline' | 'mgetBuffer'>;

export interface WriterDeps {
  redis: MetricsRedis;
  keys: MetricsKeys;
  /** Limit for each reply: a Redis that accepts connections but never replies must not block the next attempt. */
  timeoutMs: number;
  /** Tests only: milliseconds since 1970, instead of Redis' clock. */
  now: (() => number) | undefined;
}

/** Counts are stored twice: in slots for the short windows, by the minute for the hour. */
export const SLOT_MS = 10_000;
export const MINUTE_MS = 60_000;
/** A key must outlive the longest window that reads it: 5 min 10 s and 61 min. */
export const SLOT_TTL_MS = 7 * 60_000;
export const MINUTE_TTL_MS = 65 * 60_000;
/** Longer than any outage after which a flush of unknown outcome may be repeated. */
export const SEQUENCE_TTL_MS = 24 * 3_600_000;
/** A process without a heartbeat for this long counts as gone; heartbeats are due every 5 s. */
export const HEARTBEAT_TTL_MS = 15_000;

/** All keys of one fleet have one hash tag, so that scripts and pipelines work on a Cluster. */
export function metricsKeys(prefix: string) {
  if (/[{}]/.test(prefix)) throw new RangeError(`metrics prefix ${prefix} must not contain braces`);
  const base = `{${prefix}}`;
  return {
    base,
    total: `${base}:total`,
    sequence: (sender: string) => `${base}:seq:${sender}`,
    slot: (index: number) => `${base}:slot:${index}`,
    minute: (index: number) => `${base}:minute:${index}`,
    /** Latencies of the slot or minute whose counters are in `countsKey`. */
    latencies: (countsKey: string) => `${countsKey}:latencies`,
    live: `${base}:live`,
    beats: `${base}:beats`,
    companies: (processKey: string) => `${base}:companies:${processKey}`,
  };
}
export type MetricsKeys = ReturnType<typeof metricsKeys>;

/** The current, incomplete slot or minute and `complete` ones before it. */
const latest = (nowMs: number, widthMs: number, complete: number) =>
  Array.from({ length: complete + 1 }, (_, back) => Math.floor(nowMs / widthMs) - back);

/** Each window covers its nominal length plus the incomplete slot or minute. */
export function windowKeys(keys: MetricsKeys, nowMs: number): Record<MetricsWindow, string[]> {
  return {
    '1m': latest(nowMs, SLOT_MS, 6).map(keys.slot),
    '5m': latest(nowMs, SLOT_MS, 30).map(keys.slot),
    '1h': latest(nowMs, MINUTE_MS, 60).map(keys.minute),
  };
}
