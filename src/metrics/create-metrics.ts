import type { Registry } from 'prom-client';
import type { AppointmentEvent } from '@appointment-emissions/contracts';
import type { CutReason } from '../domain/cut-reasons.ts';
import type { DamageKind } from '../process/damaged-data.ts';
import type { Heartbeat } from './fleet.ts';
import { createFleetWriter } from './fleet-writer.ts';
import { createFlushLoop } from './flush-loop.ts';
import { metricsKeys } from './keys.ts';
import { bucketOf } from './latency-buckets.ts';
import { cellOf } from './latency-cells.ts';
import { outcomeField, rejectedField, type Outcome, type Stage } from './names.ts';
import { createPrometheus } from './prometheus.ts';
import type { MetricsRedis } from './writer-deps.ts';
import { createTallyWriter } from './tally-writer.ts';
import { within } from '../process/lifecycle.ts';

interface Deps {
  redis: MetricsRedis;
  /** One per fleet; all its keys carry it as their hash tag. */
  prefix?: string;
  /** At most 1000: what a killed process may lose. */
  flushIntervalMs?: number;
  /** How long to wait for Redis before a flush counts as unknown and is repeated. */
  flushTimeoutMs?: number;
  /** Node's own metrics in the registry; one instance a process should have them. */
  processMetrics?: boolean;
  /** Told of the first failed flush in a row. Nothing is lost by it. */
  onError: (error: unknown) => void;
  /** Tests only: milliseconds since 1970 in place of Redis' clock. */
  now?: () => number;
}

export interface Metrics {
  count: (event: AppointmentEvent, outcome: Outcome, n?: number) => void;
  /** A request, an item of a batch or a socket turned away. @param reason a stable code; never anything that a caller can make up */
  reject: (reason: string, n?: number) => void;
  /** A connection of a client that this process ended. */
  cut: (reason: CutReason) => void;
  /** Data in Redis could not be understood. */
  damage: (kind: DamageKind) => void;
  observe: (stage: Stage, ms: number) => void;
  /** Due every 5 s from every process; sent with the next flush. */
  heartbeat: (beat: Heartbeat) => void;
  /** Resolves to whether everything counted so far is in Redis; never rejects. */
  flush: () => Promise<boolean>;
  /** Flushes and signs off from the fleet, within twice the flush timeout; never rejects. */
  close: () => Promise<void>;
  /** This process' metrics, for Prometheus. */
  registry: Registry;
}

/** What is beyond is no duration but the difference of two clocks. */
const MAX_SKEW_MS = 1_000;
const MAX_DURATION_MS = 24 * 3_600_000;

/** Counts in memory and adds to the fleet's counts in Redis at most once a second, in one script. */
export function createMetrics(deps: Deps): Metrics {
  const { redis, prefix = 'metrics', flushIntervalMs = 1_000, flushTimeoutMs = 2_000, onError } = deps;
  if (!(flushIntervalMs > 0 && flushIntervalMs <= 1_000))
    throw new RangeError(`flushIntervalMs must be above 0 and at most 1000, not ${flushIntervalMs}`);

  const prometheus = createPrometheus({ processMetrics: deps.processMetrics ?? true });
  const writerDeps = { redis, keys: metricsKeys(prefix), timeoutMs: flushTimeoutMs, now: deps.now };
  const tally = createTallyWriter(writerDeps);
  const fleet = createFleetWriter(writerDeps);
  let closing: Promise<void> | undefined;

  const loop = createFlushLoop({
    intervalMs: flushIntervalMs,
    isIdle: () => tally.isIdle() && fleet.isIdle(),
    async send() {
      // All settled before the next send may start: the tally allows one at a time.
      const sent = await Promise.allSettled([tally.sendWaiting(), fleet.sendWaiting()]);
      for (const result of sent) if (result.status === 'rejected') throw result.reason;
    },
    onFailure(error, failuresInARow) {
      prometheus.flushFailed();
      if (failuresInARow === 1) onError(error);
    },
  });

  function add(field: string, n: number): void {
    tally.add(field, n);
    loop.wake();
  }

  async function flushAndLeave(): Promise<void> {
    loop.stop();
    try {
      await within(flushTimeoutMs, 'last metrics flush', loop.flush());
      await fleet.leave();
    } catch (error) {
      onError(error);
    }
  }

  return {
    count(event, outcome, n = 1) {
      prometheus.count(event, outcome, n);
      add(outcomeField(event, outcome), n);
    },
    reject(reason, n = 1) {
      prometheus.reject(reason, n);
      add(rejectedField(reason), n);
    },
    cut: prometheus.cut,
    damage: prometheus.damage,
    observe(stage, ms) {
      // No stamp at all gives NaN.
      if (!Number.isFinite(ms)) return;
      if (ms < -MAX_SKEW_MS || ms > MAX_DURATION_MS) {
        prometheus.leaveOut(stage);
        return;
      }
      // Clock skew can make the difference slightly negative.
      const atLeastZero = Math.max(0, ms);
      prometheus.observe(stage, atLeastZero);
      tally.addLatency(cellOf(stage, bucketOf(atLeastZero)));
      loop.wake();
    },
    heartbeat(beat) {
      fleet.heartbeat(beat);
      loop.wake();
    },
    flush: loop.flush,
    close: () => (closing ??= flushAndLeave()),
    registry: prometheus.registry,
  };
}
