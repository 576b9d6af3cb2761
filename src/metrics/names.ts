import type {
  AppointmentEvent,
  EmissionOutcome,
  EmissionSource,
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
 * Where the job of a live emission runs. `direct`: in the API that accepted it. The others are left to a worker: `full`, this API
 * runs `API_CONCURRENCY` jobs; `busy`, its event loop is above `MAX_DIRECT_UTILIZATION`; `share`, the company has used up half of
 * its burst; `restricted`, the queue is paused or limited; `other`, the job exists or the API stops.
 */
export const DIRECT_RESULTS = ['direct', 'full', 'busy', 'share', 'restricted', 'other'] as const;
export type DirectResult = (typeof DIRECT_RESULTS)[number];

/** What a snapshot was read for: to publish an emission, or for a list or a replay. */
export const ORDER_USES = ['publish', 'read'] as const;
export type OrderUse = (typeof ORDER_USES)[number];

/** A process that is both API and gateway sends a heartbeat for each role. */
export const ROLES = allOf<ProcessRole>()(['api', 'gateway', 'worker']);

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
