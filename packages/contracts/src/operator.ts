import type { AppointmentEvent } from './events.ts';
import type { IsoDate } from './appointment.ts';

/** What the admin page is told. Source of the figures: docs/reference/metrics.md. */
export type MetricsWindow = '1m' | '5m' | '1h';
export type MetricsSpan = MetricsWindow | 'total';
export type LatencyStage = 'accept' | 'wait' | 'load' | 'publish' | 'total' | 'browser' | 'bulk';
export type ProcessRole = 'api' | 'gateway' | 'worker';
export type EmissionOutcome = 'accepted' | 'published' | 'retried' | 'failed';

/** Counts, and shares of what ended; null where nothing did. */
export interface OutcomeRates extends Record<EmissionOutcome, number> {
  successRate: number | null;
  failureRate: number | null;
}

/** In milliseconds; null where nothing was observed. */
export interface LatencyPercentiles {
  count: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface FleetProcess {
  id: string;
  sockets: number;
  sinceHeartbeatMs: number;
  /** Null where progress is not watched. */
  sinceProgressMs: number | null;
  /** What this process reports to be wrong with itself, in words. */
  warnings: string[];
}

/** What was set on a queue in Redis, for the whole fleet. */
export interface QueueState {
  /** Its jobs wait until it is resumed. */
  paused: boolean;
  /** Jobs at once; null without a limit. */
  concurrency: number | null;
  /** Null without a limit. */
  rateLimit: { max: number; durationMs: number } | null;
}

export interface FleetMetricsReading {
  at: IsoDate;
  overall: Record<MetricsSpan, OutcomeRates>;
  events: Record<AppointmentEvent, Record<MetricsSpan, OutcomeRates>>;
  /** By error code. */
  rejected: Record<MetricsSpan, Record<string, number>>;
  latencyMs: Record<LatencyStage, Record<MetricsWindow, LatencyPercentiles>>;
  queue: {
    waiting: number;
    prioritized: number;
    delayed: number;
    active: number;
    failed: number;
    /** Of both queues. */
    oldestWaitingAgeMs: number | null;
    oldestLiveWaitingAgeMs: number | null;
    oldestBulkWaitingAgeMs: number | null;
    states: Record<'live' | 'bulk', QueueState>;
  };
  fleet: { processes: Record<ProcessRole, FleetProcess[]>; sockets: number; companies: number };
}

/** One failed job, as an operator reads it. */
export interface FailedEmission {
  emissionId: string;
  /** Name of the BullMQ queue that it stands in. */
  queue: string;
  event: string;
  appointmentId: string;
  companyId: string;
  /** A code of docs/reference/errors.md, then words. */
  reason: string;
  attempts: number;
  acceptedAt: IsoDate;
  failedAt: IsoDate;
}

/** `GET /admin/api/overview`. */
export interface OverviewReply {
  success: true;
  /** Whether repairs are allowed. */
  writes: boolean;
  metrics: FleetMetricsReading;
  /** Those of `/health`, without what the figures say. */
  warnings: string[];
  /** Newest first. */
  failures: FailedEmission[];
}

/** `GET /admin/api/series`: the last hour by the minute, oldest first; the last minute is still filling. */
export interface SeriesReply {
  success: true;
  /** When each minute began, in seconds since 1970. */
  minutes: number[];
  counts: Record<EmissionOutcome, number[]>;
  latencyMs: Record<LatencyStage, { p50: (number | null)[]; p99: (number | null)[] }>;
}

/** What a repair did, or would do. */
export interface RepairReport {
  dryRun: boolean;
  /** How many there are. */
  matched: number;
  /** How many were put into the queue; on a dry run, how many would be. */
  repaired: number;
  /** How many were met that cannot be repaired, since what they hold is unusable. */
  leftOut: number;
  /** The first of them. */
  emissions: Pick<FailedEmission, 'emissionId' | 'event' | 'appointmentId'>[];
}
