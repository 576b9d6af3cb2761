import type { Window } from './names.ts';

/** Counts are kept twice: finely for the short windows, by the minute for the hour. */
export const SLOT_MS = 10_000;
export const MINUTE_MS = 60_000;
/** A key must outlive the longest window that reads it: 5 min 10 s and 61 min. */
export const SLOT_TTL_MS = 7 * 60_000;
export const MINUTE_TTL_MS = 65 * 60_000;
/** Longer than any outage after which a flush of unknown outcome may still be repeated. */
export const SEQUENCE_TTL_MS = 24 * 3_600_000;
/** A process that was not heard of for this long counts as gone; heartbeats are due every 5 s. */
export const HEARTBEAT_TTL_MS = 15_000;

/** All keys of one fleet carry one hash tag, so that scripts and pipelines work on a Cluster. */
export function metricsKeys(prefix: string) {
  if (/[{}]/.test(prefix)) throw new RangeError(`metrics prefix ${prefix} must not contain braces`);
  const base = `{${prefix}}`;
  return {
    base,
    total: `${base}:total`,
    sequence: (sender: string) => `${base}:seq:${sender}`,
    slot: (index: number) => `${base}:slot:${index}`,
    minute: (index: number) => `${base}:minute:${index}`,
    /** Beside the counters of a slot or minute. */
    latencies: (countsKey: string) => `${countsKey}:latencies`,
    live: `${base}:live`,
    beats: `${base}:beats`,
    companies: (processKey: string) => `${base}:companies:${processKey}`,
  };
}
export type MetricsKeys = ReturnType<typeof metricsKeys>;

/** The slot or minute that is still filling, and as many full ones before it as the window asks for. */
const latest = (nowMs: number, widthMs: number, full: number) =>
  Array.from({ length: full + 1 }, (_, back) => Math.floor(nowMs / widthMs) - back);

/** Every window covers at least its nominal length: the part that is still filling comes on top. */
export function windowKeys(keys: MetricsKeys, nowMs: number): Record<Window, string[]> {
  return {
    '1m': latest(nowMs, SLOT_MS, 6).map(keys.slot),
    '5m': latest(nowMs, SLOT_MS, 30).map(keys.slot),
    '1h': latest(nowMs, MINUTE_MS, 60).map(keys.minute),
  };
}
