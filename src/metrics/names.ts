import type { AppointmentEvent } from '@appointment-emissions/contracts';

/** What can become of an emission. `retried` is one failed attempt that will be tried again. */
export const OUTCOMES = ['accepted', 'published', 'retried', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * Where time goes. accept: POST received → 202; wait: accepted → a worker picks it up; load: claim and read;
 * publish: the confirm script; total: accepted → published; browser: POST → on a screen (sampled). Their order is that
 * of the latencies kept in Redis: add at the end.
 */
export const STAGES = ['accept', 'wait', 'load', 'publish', 'total', 'browser', 'bulk'] as const;
export type Stage = (typeof STAGES)[number];

/** A process that is both API and gateway sends a heartbeat for each. */
export const ROLES = ['api', 'gateway', 'worker'] as const;
export type Role = (typeof ROLES)[number];

export const WINDOWS = ['1m', '5m', '1h'] as const;
export type Window = (typeof WINDOWS)[number];

/** Fields of the counters in Redis. `|` parts them because event names contain `:`. */
export const outcomeField = (event: AppointmentEvent, outcome: Outcome) => `c|${event}|${outcome}`;
export const rejectedField = (reason: string) => `r|${reason}`;
