import { z } from 'zod';
import {
  APPOINTMENT_EVENTS,
  type OverviewReply,
  type RepairReport,
  type SeriesReply,
} from '@appointment-emissions/contracts';
import { givenId, instant } from './appointment-schemas.ts';

const yes = z.literal(true);
const count = z.int().min(0);
const share = z.number().min(0).max(1).nullable();
const ms = z.number().min(0);

/** An object with each of these names. */
function each<const K extends string, T extends z.ZodType>(names: readonly K[], schema: T) {
  return z.strictObject(Object.fromEntries(names.map((name) => [name, schema])) as Record<K, T>);
}

const WINDOWS = ['1m', '5m', '1h'] as const;
const SPANS = [...WINDOWS, 'total'] as const;
const STAGES = ['accept', 'wait', 'load', 'publish', 'total', 'browser', 'bulk'] as const;
const OUTCOMES = { accepted: count, published: count, retried: count, failed: count };

const rates = z
  .strictObject({ ...OUTCOMES, successRate: share, failureRate: share })
  .meta({ id: 'Rates', description: 'Rates are shares of what ended; null where nothing did.' });
const percentiles = z
  .strictObject({ count, p50: ms.nullable(), p95: ms.nullable(), p99: ms.nullable() })
  .meta({ id: 'Percentiles', description: 'Milliseconds.' });
const processes = z.array(
  z.strictObject({
    id: z.string(),
    sockets: count,
    sinceHeartbeatMs: ms,
    sinceProgressMs: ms.nullable(),
    warnings: z.array(z.string()).meta({ description: 'What it reports to be wrong with itself.' }),
  }),
);

const queueState = z
  .strictObject({
    paused: z.boolean().meta({ description: 'Its jobs wait until it is resumed.' }),
    concurrency: count.nullable().meta({ description: 'Jobs at once in the fleet; null without a limit.' }),
    rateLimit: z.strictObject({ max: count, durationMs: count }).nullable(),
  })
  .meta({ id: 'QueueState' });

const metrics = {
  at: instant,
  overall: each(SPANS, rates),
  events: each(APPOINTMENT_EVENTS, each(SPANS, rates)),
  rejected: each(SPANS, z.record(z.string(), count)),
  latencyMs: each(STAGES, each(WINDOWS, percentiles)),
  queue: z.strictObject({
    waiting: count,
    prioritized: count,
    delayed: count,
    active: count,
    failed: count,
    oldestWaitingAgeMs: ms.nullable(),
    oldestLiveWaitingAgeMs: ms.nullable(),
    oldestBulkWaitingAgeMs: ms.nullable(),
    states: each(['live', 'bulk'], queueState),
  }),
  fleet: z.strictObject({
    processes: each(['api', 'gateway', 'worker'], processes),
    sockets: count,
    companies: count,
  }),
};
export const metricsReply = z.strictObject({ success: yes, ...metrics }).meta({
  id: 'MetricsReply',
  description: "The whole fleet's, whichever process answers: see docs/reference/metrics.md.",
});

const failedEmission = z
  .strictObject({
    emissionId: z.string(),
    queue: z.string().meta({ description: 'Name of the BullMQ queue that it stands in.' }),
    event: z.string(),
    appointmentId: z.string(),
    companyId: z.string(),
    reason: z.string().meta({ description: 'A code of docs/reference/errors.md, then words.' }),
    attempts: count,
    acceptedAt: instant,
    failedAt: instant,
  })
  .meta({ id: 'FailedEmission' });
export const overviewReply = z
  .strictObject({
    success: yes,
    writes: z.boolean().meta({ description: 'Whether repairs are allowed.' }),
    metrics: z.strictObject(metrics),
    warnings: z.array(z.string()).meta({ description: 'Those of /health, without what the figures say.' }),
    failures: z.array(failedEmission),
  })
  .meta({ id: 'OverviewReply' }) satisfies z.ZodType<OverviewReply>;

const perMinute = z.array(count);
const quantile = z.array(ms.nullable());
export const seriesReply = z
  .strictObject({
    success: yes,
    minutes: z.array(z.int()).meta({ description: 'When each minute began, in seconds since 1970.' }),
    counts: z.strictObject({
      accepted: perMinute,
      published: perMinute,
      retried: perMinute,
      failed: perMinute,
    }),
    latencyMs: each(STAGES, z.strictObject({ p50: quantile, p99: quantile })),
  })
  .meta({
    id: 'SeriesReply',
    description: 'The last hour by the minute, oldest first.',
  }) satisfies z.ZodType<SeriesReply>;

const time = z.string().meta({ description: 'ISO 8601 with its zone, or an age: 90s, 30m, 2h, 3d.' });
const extent = {
  limit: z.int().min(1).max(10_000).exactOptional().meta({ default: 1_000 }),
  dryRun: z.boolean().exactOptional().meta({ default: false, description: 'Only tell what would be done.' }),
};
export const retryRequest = z.strictObject({ emissionId: z.string() }).meta({ id: 'RetryRequest' });
export const retryFailedRequest = z
  .strictObject({ since: time, until: time.exactOptional(), code: z.string().exactOptional(), ...extent })
  .meta({ id: 'RetryFailedRequest' });
export const reEmitRequest = z
  .strictObject({
    companyId: givenId.exactOptional(),
    appointmentId: givenId.exactOptional(),
    since: time,
    ...extent,
  })
  .meta({ id: 'ReEmitRequest', description: 'Either of a company or of an appointment.' });

export const retryReply = z.strictObject({ success: yes, emissionId: z.string() }).meta({ id: 'RetryReply' });
export const repairReply = z
  .strictObject({
    success: yes,
    dryRun: z.boolean(),
    matched: count.meta({ description: 'How many there are.' }),
    repaired: count.meta({ description: 'How many were put into the queue, or would be.' }),
    leftOut: count.meta({
      description: 'How many were met that cannot be repaired: what they hold is unusable.',
    }),
    emissions: z
      .array(z.strictObject({ emissionId: z.string(), event: z.string(), appointmentId: z.string() }))
      .meta({ description: 'The first of them.' }),
  })
  .meta({ id: 'RepairReply' }) satisfies z.ZodType<RepairReport>;

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
