import { z } from 'zod';
import {
  APPOINTMENT_EVENTS,
  type CompaniesReply,
  type DisconnectReport,
  type DisconnectRequest,
  LATENCY_STAGES,
  METRICS_WINDOWS,
  type OverviewReply,
  type RepairReport,
  queueNames,
  QUEUES,
  type SeriesReply,
} from '@appointment-emissions/contracts';
import { EMISSION_SOURCES } from '../../domain/emission-log.ts';
import {
  companyId,
  emissionId,
  instant,
  requestedAppointmentId,
  requestedCompanyId,
} from './appointment-schemas.ts';
import { EXAMPLES } from './operation.ts';

const success = z.literal(true);
const count = z.int().min(0);
const share = z.number().min(0).max(1).nullable();
const ms = z.number().min(0);

/** An object with each of these names. */
function each<const K extends string, T extends z.ZodType>(names: readonly K[], schema: T) {
  return z.strictObject(Object.fromEntries(names.map((name) => [name, schema])) as Record<K, T>);
}

const SPANS = [...METRICS_WINDOWS, 'total'] as const;
const OUTCOMES = { accepted: count, published: count, retried: count, failed: count };

const rates = z
  .strictObject({ ...OUTCOMES, successRate: share, failureRate: share })
  .meta({ id: 'Rates', description: 'Rates are shares of the emissions that ended; null if none ended.' });
const percentiles = z
  .strictObject({ count, p50: ms.nullable(), p95: ms.nullable(), p99: ms.nullable() })
  .meta({ id: 'Percentiles', description: 'Milliseconds.' });
const processes = z.array(
  z.strictObject({
    id: z.string(),
    sockets: count,
    sinceHeartbeatMs: ms,
    sinceProgressMs: ms.nullable(),
    warnings: z.array(z.string()).meta({ description: 'Problems that the process reports about itself.' }),
    shards: count.meta({
      description: 'Number of shards whose jobs this worker takes; 0 for processes that take none.',
    }),
    capture: z
      .strictObject({ tokenAgeMs: ms, restarts: count })
      .nullable()
      .meta({ description: 'The change stream, if this worker reads it; null otherwise.' }),
  }),
);

const queueState = z
  .strictObject({
    paused: z.boolean().meta({ description: 'If true, no job starts until the queue is resumed.' }),
    concurrency: count
      .nullable()
      .meta({ description: 'Maximum number of concurrent jobs in the fleet; null if unlimited.' }),
    rateLimit: z.strictObject({ max: count, durationMs: count }).nullable(),
  })
  .meta({ id: 'QueueState' });

const queueJobs = z.strictObject({ waiting: count, delayed: count, active: count, failed: count });

const outcomes = {
  overall: each(SPANS, rates),
  events: each(APPOINTMENT_EVENTS, each(SPANS, rates)),
};
const metrics = {
  at: instant,
  ...outcomes,
  byQueue: each(QUEUES, z.strictObject(outcomes)),
  bySource: each(EMISSION_SOURCES, each(SPANS, count)),
  rejected: each(SPANS, z.record(z.string(), count)),
  latencyMs: each(LATENCY_STAGES, each(METRICS_WINDOWS, percentiles)),
  queue: z.strictObject({
    waiting: count,
    prioritized: count,
    delayed: count,
    active: count,
    failed: count,
    oldestWaitingAgeMs: ms.nullable(),
    oldestLiveWaitingAgeMs: ms.nullable(),
    oldestBulkWaitingAgeMs: ms.nullable(),
    states: each(QUEUES, queueState),
    byQueue: each(QUEUES, queueJobs),
    shards: z
      .array(
        z.strictObject({
          shard: count,
          jobs: queueJobs.nullable().meta({ description: 'Null if its Redis node does not answer.' }),
          oldestWaitingAgeMs: ms.nullable(),
        }),
      )
      .meta({ description: 'See QUEUE_SHARDS in docs/reference/configuration.md.' }),
  }),
  fleet: z.strictObject({
    processes: each(['api', 'gateway', 'worker'], processes),
    sockets: count,
    companies: count,
    overShare: z.array(z.strictObject({ companyId: z.string(), emissions: count })).meta({
      description:
        'Companies whose live emissions exceeded their share and went to the bulk queue in the last one to two minutes.',
    }),
    busiest: z.array(z.strictObject({ companyId: z.string(), sockets: count, delayedReads: count })).meta({
      description:
        'Companies with the most lists and catch-ups that waited for an earlier one of the same company in the last one to two minutes, then those with the most dashboards.',
    }),
  }),
};
export const metricsReply = z.strictObject({ success, ...metrics }).meta({
  id: 'MetricsReply',
  description: 'Metrics of the whole fleet, the same from every process. See docs/reference/metrics.md.',
});

/** Text, since the data of a job can be damaged. */
const named = {
  event: z.string().meta({ examples: [APPOINTMENT_EVENTS[1]] }),
  appointmentId: z.string().meta({ examples: [EXAMPLES.appointmentId] }),
};
const failedEmission = z
  .strictObject({
    emissionId,
    queue: z.string().meta({
      description: 'Name of the BullMQ queue that has the job.',
      examples: [queueNames(0).live],
    }),
    source: z.enum(EMISSION_SOURCES).meta({ description: 'What reported the write.' }),
    ...named,
    companyId: z.string().meta({ examples: [EXAMPLES.companyId] }),
    reason: z.string().meta({
      description: 'An error code of docs/reference/errors.md, a colon, and an explanation.',
      examples: ['DATABASE_ERROR: the database did not answer in time'],
    }),
    attempts: count,
    acceptedAt: instant,
    failedAt: instant,
  })
  .meta({ id: 'FailedEmission' });
export const overviewReply = z
  .strictObject({
    success,
    operator: z
      .strictObject({ name: z.string(), role: z.enum(['view', 'repair']) })
      .meta({ description: 'Who signed in.' }),
    writes: z.boolean().meta({ description: 'Whether the operator may run repairs.' }),
    metrics: z.strictObject(metrics),
    warnings: z
      .array(z.string())
      .meta({ description: 'Warnings of /health, except those that follow from `metrics`.' }),
    failures: z.array(failedEmission),
  })
  .meta({ id: 'OverviewReply' }) satisfies z.ZodType<OverviewReply>;

export const companiesReply = z
  .strictObject({
    success,
    companies: z.array(companyId).max(20).meta({ description: 'In the order of their ids.' }),
    hasMore: z.boolean().meta({ description: 'If true, a longer prefix finds more.' }),
  })
  .meta({ id: 'CompaniesReply' }) satisfies z.ZodType<CompaniesReply>;

const perMinute = z.array(count);
const quantile = z.array(ms.nullable());
const minuteCounts = z.strictObject({
  accepted: perMinute,
  published: perMinute,
  retried: perMinute,
  failed: perMinute,
});
export const seriesReply = z
  .strictObject({
    success,
    minutes: z.array(z.int()).meta({ description: 'Start of each minute, in seconds since 1970.' }),
    counts: minuteCounts,
    byQueue: each(QUEUES, minuteCounts),
    latencyMs: each(LATENCY_STAGES, z.strictObject({ p50: quantile, p99: quantile })),
  })
  .meta({
    id: 'SeriesReply',
    description: 'The last hour by the minute, oldest first.',
  }) satisfies z.ZodType<SeriesReply>;

const time = z
  .string()
  .meta({ description: 'ISO 8601 with a time zone, or an age: 90s, 30m, 2h, 3d.', examples: ['2h'] });
const extent = {
  limit: z.int().min(1).max(10_000).exactOptional().meta({ default: 1_000 }),
  dryRun: z
    .boolean()
    .exactOptional()
    .meta({ default: false, description: 'If true, nothing is enqueued: the reply contains what would be.' }),
};
export const retryRequest = z.strictObject({ emissionId }).meta({ id: 'RetryRequest' });
export const retryFailedRequest = z
  .strictObject({ since: time, until: time.exactOptional(), code: z.string().exactOptional(), ...extent })
  .meta({ id: 'RetryFailedRequest' });
export const reEmitRequest = z
  .strictObject({
    companyId: requestedCompanyId.exactOptional(),
    appointmentId: requestedAppointmentId.exactOptional(),
    since: time,
    ...extent,
  })
  .meta({ id: 'ReEmitRequest', description: 'Needs either `companyId` or `appointmentId`.' });

export const retryReply = z.strictObject({ success, emissionId }).meta({ id: 'RetryReply' });
export const repairReply = z
  .strictObject({
    success,
    dryRun: z.boolean(),
    matched: count.meta({ description: 'Number of emissions that match the request.' }),
    repaired: count.meta({
      description: 'Number of emissions that were enqueued; in a dry run, of those that would be.',
    }),
    leftOut: count.meta({
      description: 'Number of emissions that were skipped because their stored data is unusable.',
    }),
    emissions: z
      .array(z.strictObject({ emissionId, ...named }))
      .meta({ description: 'The first of the repaired emissions.' }),
  })
  .meta({ id: 'RepairReply' }) satisfies z.ZodType<RepairReport>;

export const disconnectRequest = z
  .strictObject({
    companyId: requestedCompanyId.exactOptional(),
    userId: z
      .string()
      .exactOptional()
      .meta({ description: "The claim `sub` of the user's tokens.", examples: [EXAMPLES.userId] }),
    dryRun: z
      .boolean()
      .exactOptional()
      .meta({ default: false, description: 'If true, sockets are only counted.' }),
  })
  .meta({
    id: 'DisconnectRequest',
    description: 'Needs `companyId`, `userId` or both.',
  }) satisfies z.ZodType<DisconnectRequest>;
export const disconnectReply = z
  .strictObject({
    success,
    dryRun: z.boolean(),
    matched: count.meta({
      description: 'Number of sockets that were disconnected; in a dry run, of those that would be.',
    }),
    gateways: count.meta({ description: 'Number of gateways that replied within a second.' }),
    unanswered: count.meta({
      description: 'Number of gateways that did not reply. 0 on a Redis Cluster, where it is unknown.',
    }),
  })
  .meta({ id: 'DisconnectReply' }) satisfies z.ZodType<DisconnectReport>;

const states = z.record(z.string(), z.boolean());
export const aliveReply = z
  .strictObject({ status: z.enum(['alive', 'stuck']), detail: z.string().exactOptional() })
  .meta({ id: 'AliveReply' });
const readiness = {
  status: z.enum(['ready', 'not ready']),
  draining: z.boolean(),
};
export const readyReply = z.strictObject({ ...readiness, checks: states }).meta({ id: 'ReadyReply' });
export const healthReply = z
  .strictObject({
    ...readiness,
    checks: z.record(
      z.string(),
      z.strictObject({
        ok: z.boolean(),
        detail: z.string().exactOptional(),
      }),
    ),
    warnings: z.array(z.string()),
    uptimeSeconds: count,
  })
  .meta({ id: 'HealthReply' });
