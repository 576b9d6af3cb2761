import type { Registry } from 'prom-client';
import type {
  AppointmentEvent,
  EmissionOutcome,
  EmissionSource,
  LatencyStage,
  QueueName,
} from '@appointment-emissions/contracts';
import type { CutReason } from '../domain/cut-reasons.ts';
import type { DamageKind } from '../process/damaged-data.ts';
import { createFleetSender } from './fleet/fleet-sender.ts';
import type { Heartbeat } from './fleet/heartbeat-writer.ts';
import { metricsKeys, type MetricsRedis } from './fleet/keys.ts';
import { bucketOf, cellOf } from './fleet/latencies.ts';
import {
  bulkField,
  type DirectResult,
  type OrderUse,
  outcomeField,
  rejectedField,
  sourceField,
} from './names.ts';
import { createPrometheus } from './prometheus.ts';

interface Deps {
  redis: MetricsRedis;
  /** One per fleet: the hash tag of all its keys. */
  prefix?: string;
  /** At most 1000: a killed process loses its counts since the last flush. */
  flushIntervalMs?: number;
  /** How long to wait for Redis' reply. After that the outcome of a flush is unknown, and it is repeated. */
  flushTimeoutMs?: number;
  /** Adds Node's own metrics to the registry; use it once per process. */
  processMetrics?: boolean;
  /** Called for the first failed flush after a successful one. Nothing is lost by it. */
  onError: (error: unknown) => void;
  /** Tests only: milliseconds since 1970, instead of Redis' clock. */
  now?: () => number;
}

export interface Metrics {
  /** @param queue  default: `live` */
  count: (event: AppointmentEvent, outcome: EmissionOutcome, n?: number, queue?: QueueName) => void;
  /** Adds a published emission to those of the fleet, by what reported the write. */
  countSource: (source: EmissionSource) => void;
  /** A rejected request, batch item or socket. @param reason  an error code, never a text that a caller can choose */
  reject: (reason: string, n?: number) => void;
  /** An emission of a request whose Idempotency-Key had been accepted before. */
  repeated: () => void;
  /** Where the job of a live emission runs. */
  directJob: (result: DirectResult) => void;
  /** A snapshot whose order token had changed, so that it is read again. */
  orderLost: (use: OrderUse) => void;
  /** A published emission that no gateway received. */
  unreached: () => void;
  /** A live emission that went to the bulk queue, since its company exceeded its share. */
  overShare: () => void;
  /** A connection of a client that this process ended. */
  cut: (reason: CutReason) => void;
  /** Data in Redis that could not be parsed. */
  damage: (kind: DamageKind) => void;
  /** Deletions that the sweep emitted, since published appointments are gone from MongoDB. */
  foundGone: (n: number) => void;
  observe: (stage: LatencyStage, ms: number) => void;
  /** Due every 5 s from every process; sent with the next flush. */
  heartbeat: (beat: Heartbeat) => void;
  /** Resolves to true if everything counted so far is in Redis; never rejects. */
  flush: () => Promise<boolean>;
  /** Flushes and leaves the fleet, within twice the flush timeout; never rejects. */
  close: () => Promise<void>;
  /** Prometheus metrics of this process. */
  registry: Registry;
}

/** Outside of these, a duration is an error of a clock. */
const MAX_SKEW_MS = 1_000;
const MAX_DURATION_MS = 24 * 3_600_000;

/** Counts in memory, and adds to the fleet's counts in Redis at most once a second, in one script. */
export function createMetrics(deps: Deps): Metrics {
  const { redis, prefix = 'metrics', flushIntervalMs = 1_000, flushTimeoutMs = 2_000, onError } = deps;
  if (!(flushIntervalMs > 0 && flushIntervalMs <= 1_000))
    throw new RangeError(`flushIntervalMs must be above 0 and at most 1000, not ${flushIntervalMs}`);

  const prometheus = createPrometheus({ processMetrics: deps.processMetrics ?? true });
  const fleet = createFleetSender({
    redis,
    keys: metricsKeys(prefix),
    timeoutMs: flushTimeoutMs,
    now: deps.now,
    intervalMs: flushIntervalMs,
    onFailure(error, failuresInARow) {
      prometheus.flushFailed();
      if (failuresInARow === 1) onError(error);
    },
    onCloseError: onError,
  });
  let closing: Promise<void> | undefined;

  return {
    count(event, outcome, n = 1, queue = 'live') {
      prometheus.count(event, outcome, n, queue);
      fleet.add(outcomeField(event, outcome), n);
      if (queue === 'bulk') fleet.add(bulkField(event, outcome), n);
    },
    countSource(source) {
      fleet.add(sourceField(source), 1);
    },
    reject(reason, n = 1) {
      prometheus.reject(reason, n);
      fleet.add(rejectedField(reason), n);
    },
    repeated: prometheus.repeated,
    directJob: prometheus.directJob,
    orderLost: prometheus.orderLost,
    unreached: prometheus.unreached,
    overShare: prometheus.overShare,
    cut: prometheus.cut,
    damage: prometheus.damage,
    foundGone: prometheus.foundGone,
    observe(stage, ms) {
      // A missing time stamp gives NaN.
      if (!Number.isFinite(ms)) return;
      if (ms < -MAX_SKEW_MS || ms > MAX_DURATION_MS) {
        prometheus.countOutlier(stage);
        return;
      }
      // Clock skew can make the difference slightly negative.
      const atLeastZero = Math.max(0, ms);
      prometheus.observe(stage, atLeastZero);
      fleet.addLatency(cellOf(stage, bucketOf(atLeastZero)));
    },
    heartbeat: fleet.heartbeat,
    flush: fleet.flush,
    close: () => (closing ??= fleet.close()),
    registry: prometheus.registry,
  };
}
