import type {
  AppointmentEvent,
  EmissionOutcome,
  LatencyStage,
  MetricsWindow,
  ProcessRole,
} from '@appointment-emissions/contracts';

/** What can become of an emission. `retried`: an attempt failed and another one follows. */
export const OUTCOMES = [
  'accepted',
  'published',
  'retried',
  'failed',
] as const satisfies readonly EmissionOutcome[];

/**
 * Measured durations. accept: POST received → 202; wait: accepted → a worker starts the job; load: claim and read;
 * publish: the confirm script; total: accepted → published; browser: POST → on a screen (sampled); bulk: total of the bulk
 * queue. Latencies are stored in Redis in this order: add new stages at the end.
 */
export const STAGES = [
  'accept',
  'wait',
  'load',
  'publish',
  'total',
  'browser',
  'bulk',
] as const satisfies readonly LatencyStage[];

/** A process that is both API and gateway sends a heartbeat for each role. */
export const ROLES = ['api', 'gateway', 'worker'] as const satisfies readonly ProcessRole[];

export const WINDOWS = ['1m', '5m', '1h'] as const satisfies readonly MetricsWindow[];

const REJECTED_PREFIX = 'r|';

/** Fields of the counters in Redis. The separator is `|`, since event names contain `:`. */
export const outcomeField = (event: AppointmentEvent, outcome: EmissionOutcome): string =>
  `c|${event}|${outcome}`;
export const rejectedField = (reason: string): string => `${REJECTED_PREFIX}${reason}`;

/** The reason in a field of `rejectedField`; `undefined` for other fields. */
export const reasonOfField = (field: string): string | undefined =>
  field.startsWith(REJECTED_PREFIX) ? field.slice(REJECTED_PREFIX.length) : undefined;
