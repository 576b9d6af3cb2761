import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import {
  APPOINTMENT_EVENTS,
  type AppointmentEvent,
  type EmissionOutcome,
  LATENCY_STAGES,
  type LatencyStage,
  type QueueName,
  QUEUES,
} from '@appointment-emissions/contracts';
import { CUT_REASONS, type CutReason } from '../domain/cut-reasons.ts';
import { ERROR_CODES } from '../errors.ts';
import { DAMAGE_KINDS, type DamageKind } from '../process/damaged-data.ts';
import { DIRECT_RESULTS, type DirectResult, ORDER_USES, type OrderUse } from './names.ts';
import { configurationOf } from './prometheus-catalog.ts';

/** Prometheus interpolates a percentile within its bucket. Up to 10 s each bucket ends at most two thirds above its start. */
const DURATION_BUCKETS_SECONDS = [
  ...[0.001, 0.0015, 0.0025, 0.0035, 0.005, 0.007],
  ...[0.01, 0.015, 0.025, 0.035, 0.05, 0.07],
  ...[0.1, 0.15, 0.25, 0.35, 0.5, 0.7],
  ...[1, 1.5, 2.5, 3.5, 5, 7],
  ...[10, 15, 20, 30, 45, 60],
];

/**
 * A timer of this period measures the delay of the event loop, and is part of each delay. With the default of 10 ms it was most of
 * what an idle process did.
 */
const LOOP_DELAY_PERIOD_MS = 50;

/** Prometheus metrics of this process, in a separate registry. */
export function createPrometheus({ processMetrics }: { processMetrics: boolean }) {
  const registry = new Registry();
  if (processMetrics)
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_PERIOD_MS });
  const instruments = createInstruments(registry);
  startAllSeries(instruments);
  const { outcomes, unreached, overShare, rejected, cuts, damaged, gone, flushFailures, duration, outliers } =
    instruments;
  const { repeats, directJobs, orderLosses } = instruments;

  return {
    registry,
    count: (event: AppointmentEvent, outcome: EmissionOutcome, n: number, queue: QueueName) => {
      outcomes[outcome].inc({ event, queue }, n);
    },
    repeated: () => {
      repeats.inc();
    },
    directJob: (result: DirectResult) => {
      directJobs.inc({ result });
    },
    orderLost: (use: OrderUse) => {
      orderLosses.inc({ use });
    },
    reject: (reason: string, n: number) => {
      rejected.inc({ reason }, n);
    },
    unreached: () => {
      unreached.inc();
    },
    overShare: () => {
      overShare.inc();
    },
    cut: (reason: CutReason) => {
      cuts.inc({ reason });
    },
    damage: (kind: DamageKind) => {
      damaged.inc({ kind });
    },
    foundGone: (n: number) => {
      gone.inc(n);
    },
    observe: (stage: LatencyStage, ms: number) => {
      duration.observe({ stage }, ms / 1000);
    },
    countOutlier: (stage: LatencyStage) => {
      outliers.inc({ stage });
    },
    flushFailed: () => {
      flushFailures.inc();
    },
  };
}

function createInstruments(registry: Registry) {
  const registers = [registry];
  const outcomes = {
    accepted: new Counter({ ...configurationOf('emission_accepted_total'), registers }),
    published: new Counter({ ...configurationOf('emission_published_total'), registers }),
    retried: new Counter({ ...configurationOf('emission_attempt_failures_total'), registers }),
    failed: new Counter({ ...configurationOf('emission_failed_total'), registers }),
  } satisfies Record<EmissionOutcome, Counter>;
  return {
    outcomes,
    repeats: new Counter({ ...configurationOf('emission_idempotent_repeats_total'), registers }),
    directJobs: new Counter({ ...configurationOf('emission_direct_jobs_total'), registers }),
    orderLosses: new Counter({ ...configurationOf('emission_order_losses_total'), registers }),
    rejected: new Counter({ ...configurationOf('emission_rejected_total'), registers }),
    unreached: new Counter({ ...configurationOf('emission_unreached_total'), registers }),
    overShare: new Counter({ ...configurationOf('emission_over_share_total'), registers }),
    cuts: new Counter({ ...configurationOf('emission_connections_cut_total'), registers }),
    damaged: new Counter({ ...configurationOf('emission_invalid_data_total'), registers }),
    gone: new Counter({ ...configurationOf('emission_sweep_gone_total'), registers }),
    flushFailures: new Counter({ ...configurationOf('emission_metrics_flush_failures_total'), registers }),
    duration: new Histogram({
      ...configurationOf('emission_stage_duration_seconds'),
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    }),
    outliers: new Counter({ ...configurationOf('emission_outliers_total'), registers }),
  };
}

/** Starts each series at 0. rate() misses the first increment of a series that starts with it. */
function startAllSeries({
  outcomes,
  directJobs,
  orderLosses,
  rejected,
  cuts,
  damaged,
  duration,
  outliers,
}: ReturnType<typeof createInstruments>): void {
  for (const event of APPOINTMENT_EVENTS)
    for (const queue of QUEUES)
      for (const counter of Object.values(outcomes)) counter.inc({ event, queue }, 0);
  for (const result of DIRECT_RESULTS) directJobs.inc({ result }, 0);
  for (const use of ORDER_USES) orderLosses.inc({ use }, 0);
  for (const reason of Object.keys(ERROR_CODES)) rejected.inc({ reason }, 0);
  for (const reason of CUT_REASONS) cuts.inc({ reason }, 0);
  for (const kind of DAMAGE_KINDS) damaged.inc({ kind }, 0);
  for (const stage of LATENCY_STAGES) {
    duration.zero({ stage });
    outliers.inc({ stage }, 0);
  }
}
