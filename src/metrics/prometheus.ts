import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { APPOINTMENT_EVENTS, type AppointmentEvent } from '@appointment-emissions/contracts';
import { CUT_REASONS, type CutReason } from '../domain/cut-reasons.ts';
import { DAMAGE_KINDS, type DamageKind } from '../process/damaged-data.ts';
import { ERROR_CODES } from '../errors.ts';
import { STAGES, type Outcome, type Stage } from './names.ts';
import { configurationOf } from './prometheus-catalog.ts';

/** Prometheus places a percentile within its bucket by guess: each ends at most two thirds above its beginning, up to 10 s. */
const DURATION_BUCKETS_SECONDS = [
  ...[0.001, 0.0015, 0.0025, 0.0035, 0.005, 0.007],
  ...[0.01, 0.015, 0.025, 0.035, 0.05, 0.07],
  ...[0.1, 0.15, 0.25, 0.35, 0.5, 0.7],
  ...[1, 1.5, 2.5, 3.5, 5, 7],
  ...[10, 15, 20, 30, 45, 60],
];

/** One process' own metrics, in a registry of its own. */
export function createPrometheus({ processMetrics }: { processMetrics: boolean }) {
  const registry = new Registry();
  const registers = [registry];
  if (processMetrics) collectDefaultMetrics({ register: registry });

  const counters = {
    accepted: new Counter({ ...configurationOf('emission_accepted_total'), registers }),
    published: new Counter({ ...configurationOf('emission_published_total'), registers }),
    retried: new Counter({ ...configurationOf('emission_attempt_failures_total'), registers }),
    failed: new Counter({ ...configurationOf('emission_failed_total'), registers }),
  } satisfies Record<Outcome, Counter>;
  const rejected = new Counter({ ...configurationOf('emission_rejected_total'), registers });
  const cuts = new Counter({ ...configurationOf('emission_connections_cut_total'), registers });
  const damaged = new Counter({ ...configurationOf('emission_invalid_data_total'), registers });
  const flushFailures = new Counter({
    ...configurationOf('emission_metrics_flush_failures_total'),
    registers,
  });
  const duration = new Histogram({
    ...configurationOf('emission_stage_duration_seconds'),
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });

  const leftOut = new Counter({ ...configurationOf('emission_outliers_total'), registers });

  // A series that starts at its first increment hides that increment from rate().
  for (const event of APPOINTMENT_EVENTS)
    for (const counter of Object.values(counters)) counter.inc({ event }, 0);
  for (const reason of Object.keys(ERROR_CODES)) rejected.inc({ reason }, 0);
  for (const reason of CUT_REASONS) cuts.inc({ reason }, 0);
  for (const stage of STAGES) {
    duration.zero({ stage });
    leftOut.inc({ stage }, 0);
  }
  for (const kind of DAMAGE_KINDS) damaged.inc({ kind }, 0);

  return {
    registry,
    count: (event: AppointmentEvent, outcome: Outcome, n: number) => {
      counters[outcome].inc({ event }, n);
    },
    reject: (reason: string, n: number) => {
      rejected.inc({ reason }, n);
    },
    cut: (reason: CutReason) => {
      cuts.inc({ reason });
    },
    damage: (kind: DamageKind) => {
      damaged.inc({ kind });
    },
    observe: (stage: Stage, ms: number) => {
      duration.observe({ stage }, ms / 1000);
    },
    leaveOut: (stage: Stage) => {
      leftOut.inc({ stage });
    },
    flushFailed: () => {
      flushFailures.inc();
    },
  };
}
