import type { AppointmentEvent } from './events.ts';
import type { Id, IsoDate } from './appointment.ts';

/** Period of a rate or a percentile. docs/reference/metrics.md says how each figure is measured. */
export const METRICS_WINDOWS = ['1m', '5m', '1h'] as const;
export type MetricsWindow = (typeof METRICS_WINDOWS)[number];
/** Period of a count. `total`: since the first start of the fleet. */
export type MetricsSpan = MetricsWindow | 'total';
/**
 * Stages of an emission whose duration is measured. accept: POST received → 202; wait: accepted → a worker starts the job; load: claim
 * and read; publish: the confirm script; total: accepted → published; browser: POST → on a screen (sampled); bulk: total of the bulk
 * queue; capture: a write is committed → its emission is accepted; deliver: before the confirm script → a gateway sends the message to
 * a dashboard. Redis stores latencies in this order: add new stages at the end.
 */
export const LATENCY_STAGES = [
  'accept',
  'wait',
  'load',
  'publish',
  'total',
  'browser',
  'bulk',
  'capture',
  'deliver',
] as const;
export type LatencyStage = (typeof LATENCY_STAGES)[number];
export type ProcessRole = 'api' | 'gateway' | 'worker';
export type EmissionOutcome = 'accepted' | 'published' | 'retried' | 'failed';

export const QUEUES = ['live', 'bulk'] as const;
export type QueueName = (typeof QUEUES)[number];
/**
 * What reported a write: a call (HTTP, socket, embedded, or a repair), capture, or the sweep. Capture and sweep find writes that no call
 * announced.
 */
export type EmissionSource = 'call' | 'capture' | 'sweep';

/** Counts by outcome. The rates are shares (0 to 1) of the emissions that ended; null if none ended. */
export interface OutcomeRates extends Record<EmissionOutcome, number> {
  successRate: number | null;
  failureRate: number | null;
}

/** Latency percentiles in milliseconds; null if there was no observation. */
export interface LatencyPercentiles {
  count: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** One running process of the fleet. */
export interface FleetProcess {
  id: string;
  /** Connected dashboards; 0 for processes without a gateway. */
  sockets: number;
  sinceHeartbeatMs: number;
  /** Time since a worker last started or finished a job, or since a gateway last received its canary. Null if not monitored. */
  sinceProgressMs: number | null;
  /** Problems that the process reports about itself. */
  warnings: string[];
  /** Number of shards whose jobs this worker takes, from shard 0 on; 0 for processes that take none. */
  shards: number;
  /** The change stream, if this worker reads it; null otherwise. */
  capture: CaptureState | null;
}

/** Progress of the change stream at the worker that reads it. */
export interface CaptureState {
  /** Time since the saved resume token last advanced. It grows if changes are not processed. */
  tokenAgeMs: number;
  /** How often this worker began the stream at the present instead of at a token. The sweep finds earlier writes. */
  restarts: number;
}

/** Settings that operators changed on a queue. They are stored in Redis and apply to all workers. */
export interface QueueState {
  /** If true, no job starts until the queue is resumed. */
  paused: boolean;
  /** Maximum number of concurrent jobs; null if unlimited. */
  concurrency: number | null;
  /** Maximum number of jobs per period; null if unlimited. */
  rateLimit: { max: number; durationMs: number } | null;
}

/** Counts and rates of all events together, and of each. */
export interface OutcomesByEvent {
  overall: Record<MetricsSpan, OutcomeRates>;
  events: Record<AppointmentEvent, Record<MetricsSpan, OutcomeRates>>;
}

/** Jobs of a queue or of several, by state. */
export interface QueueJobs {
  waiting: number;
  /** Jobs that wait for their backoff to end. */
  delayed: number;
  active: number;
  failed: number;
}

/** The queues of one shard, see `QUEUE_SHARDS`. */
export interface ShardJobs {
  /** From 0. */
  shard: number;
  /** Null if its Redis node does not answer. */
  jobs: QueueJobs | null;
  oldestWaitingAgeMs: number | null;
}

/**
 * Metrics of the whole fleet at one moment. `overall` and `events` are those of all queues together, `byQueue` those of the live or
 * the bulk queues of all shards. `queue.states`: a queue is restricted if it is in one shard.
 */
export interface FleetMetricsReading extends OutcomesByEvent {
  at: IsoDate;
  byQueue: Record<QueueName, OutcomesByEvent>;
  /** Published emissions. */
  bySource: Record<EmissionSource, Record<MetricsSpan, number>>;
  /** Rejected requests by error code. */
  rejected: Record<MetricsSpan, Record<string, number>>;
  latencyMs: Record<LatencyStage, Record<MetricsWindow, LatencyPercentiles>>;
  queue: {
    /** Jobs that wait in the live queues. */
    waiting: number;
    /** Jobs that wait in the bulk queues. */
    prioritized: number;
    /** Jobs that wait for their backoff to end. */
    delayed: number;
    active: number;
    failed: number;
    /** Age of the oldest waiting job of all queues; null if no job waits. */
    oldestWaitingAgeMs: number | null;
    oldestLiveWaitingAgeMs: number | null;
    oldestBulkWaitingAgeMs: number | null;
    states: Record<QueueName, QueueState>;
    byQueue: Record<QueueName, QueueJobs>;
    shards: ShardJobs[];
  };
  fleet: {
    processes: Record<ProcessRole, FleetProcess[]>;
    sockets: number;
    companies: number;
    /** The companies that exceeded their share of live emissions most, at most ten. */
    overShare: CompanyOverShare[];
    /** The companies with the most delayed reads, then those with the most dashboards, at most ten. */
    busiest: CompanyReads[];
  };
}

/** A company whose live emissions exceeded its share. */
export interface CompanyOverShare {
  companyId: string;
  /** Its live emissions that went to the bulk queue in the last one to two minutes. */
  emissions: number;
}

/** The dashboards of a company, and the lists and catch-ups that they request. */
export interface CompanyReads {
  companyId: string;
  /** Connected dashboards. */
  sockets: number;
  /** Lists and catch-ups that waited for an earlier one of the company, in the last one to two minutes. */
  delayedReads: number;
}

/** One failed emission. */
export interface FailedEmission {
  emissionId: string;
  /** Name of the BullMQ queue that holds the failed job. */
  queue: string;
  source: EmissionSource;
  event: string;
  appointmentId: string;
  companyId: string;
  /** Error code, colon and message: `APPOINTMENT_NOT_FOUND: appointment … does not exist`. */
  reason: string;
  attempts: number;
  acceptedAt: IsoDate;
  failedAt: IsoDate;
}

/** What an operator may do: `view` reads and requests dry runs, `repair` also changes. */
export type OperatorRole = 'view' | 'repair';

/** A person who signed in to the operator's pages. */
export interface Operator {
  name: string;
  role: OperatorRole;
}

/** Reply of `GET /admin/api/overview`. */
export interface OverviewReply {
  success: true;
  /** Who asked for it. */
  operator: Operator;
  /** True if the operator may run repairs. */
  writes: boolean;
  metrics: FleetMetricsReading;
  /** Warnings of `/health`, except those that the page derives from `metrics` itself. */
  warnings: string[];
  /** Newest first. */
  failures: FailedEmission[];
}

/**
 * Reply of `GET /admin/api/series`: one value for each minute of the last hour, oldest first. The last minute is not
 * complete yet.
 */
export interface SeriesReply {
  success: true;
  /** Start of each minute, in seconds since 1970. */
  minutes: number[];
  /** Of both queues together. */
  counts: Record<EmissionOutcome, number[]>;
  byQueue: Record<QueueName, Record<EmissionOutcome, number[]>>;
  latencyMs: Record<LatencyStage, { p50: (number | null)[]; p99: (number | null)[] }>;
}

/** Reply of `GET /admin/api/companies`: the first companies, in the order of their ids. */
export interface CompaniesReply {
  success: true;
  companies: string[];
  /** If true, there are more: a longer prefix finds them. */
  hasMore: boolean;
}

/** Result of a repair, or of its dry run. */
export interface RepairReport {
  dryRun: boolean;
  /** Emissions that match the request. */
  matched: number;
  /** Emissions that were enqueued; in a dry run, those that would be. At most the requested limit. */
  repaired: number;
  /** Emissions that were skipped because their stored data is unusable. */
  leftOut: number;
  /** The first of the repaired emissions. */
  emissions: Pick<FailedEmission, 'emissionId' | 'event' | 'appointmentId'>[];
}

/** Request of `POST /admin/api/disconnect`. At least one of the ids is needed; with both, a socket must match both. */
export interface DisconnectRequest {
  companyId?: Id;
  /** The claim `sub` of the user's tokens; in an embedded pipeline the result of `userOf`. */
  userId?: string;
  /** Only counts the sockets. */
  dryRun?: boolean;
}

/** Reply of `POST /admin/api/disconnect`. */
export interface DisconnectReport {
  dryRun: boolean;
  /** Sockets that were disconnected; in a dry run, those that would be. */
  matched: number;
  /** Gateways that replied within a second. */
  gateways: number;
  /** Gateways that received the request, but did not reply. 0 on a Redis Cluster, where their number is unknown. */
  unanswered: number;
}
