import type {
  AppointmentEvent,
  EmissionOutcome,
  EmissionSource,
  LatencyStage,
  MetricsWindow,
  ProcessRole,
} from '@appointment-emissions/contracts';

/** Declares a list of all members of a union. It is a type error if one is missing. */
function allOf<Member extends string>() {
  return <const List extends readonly Member[]>(
    list: List & ([Exclude<Member, List[number]>] extends [never] ? unknown : never),
  ): List => list;
}

/** What can become of an emission. `retried`: an attempt failed and another one follows. */
export const OUTCOMES = allOf<EmissionOutcome>()(['accepted', 'published', 'retried', 'failed']);

/**
 * Measured durations. accept: POST received → 202; wait: accepted → a worker starts the job; load: claim and read;
 * publish: the confirm script; total: accepted → published; browser: POST → on a screen (sampled); bulk: total of the bulk
 * queue; capture: a write is committed → its emission is accepted. Latencies are stored in Redis in this order: add new
 * stages at the end.
 */
export const STAGES = allOf<LatencyStage>()([
  'accept',
  'wait',
  'load',
  'publish',
  'total',
  'browser',
  'bulk',
  'capture',
]);

/** A process that is both API and gateway sends a heartbeat for each role. */
export const ROLES = allOf<ProcessRole>()(['api', 'gateway', 'worker']);

export const WINDOWS = allOf<MetricsWindow>()(['1m', '5m', '1h']);

const REJECTED_PREFIX = 'r|';

/** Fields of the counters in Redis. The separator is `|`, since event names contain `:`. */
export const outcomeField = (event: AppointmentEvent, outcome: EmissionOutcome): string =>
  `c|${event}|${outcome}`;
/** Of the bulk queues alone. {@link outcomeField} counts all queues. */
export const bulkField = (event: AppointmentEvent, outcome: EmissionOutcome): string =>
  `b|${event}|${outcome}`;
export const sourceField = (source: EmissionSource): string => `s|${source}`;
export const rejectedField = (reason: string): string => `${REJECTED_PREFIX}${reason}`;

/** The reason in a field of `rejectedField`; `undefined` for other fields. */
export const reasonOfField = (field: string): string | undefined =>
  field.startsWith(REJECTED_PREFIX) ? field.slice(REJECTED_PREFIX.length) : undefined;
