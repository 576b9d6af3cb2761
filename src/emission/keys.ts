import type { Id } from '@appointment-emissions/contracts';

/** All keys of a company share one hash tag, so that one script may touch them in a Cluster. */
const tag = (companyId: Id): string => `{company:${companyId}}`;

/** Hash: epoch, offset, read, run. */
export const positionKey = (companyId: Id): string => `${tag(companyId)}:position`;
/** Stream of {event, appointmentId, emissionId}; an entry's id is its offset. */
export const logKey = (companyId: Id): string => `${tag(companyId)}:log`;
/** Hash: the order token of one appointment, and of what was last published its time, status and references. */
export const orderKey = (companyId: Id, appointmentId: Id): string =>
  `${tag(companyId)}:order:${appointmentId}`;

/** How long keys outlive their last use, in ms. */
export const LIFETIMES = {
  /** Longer than any log, so that a log that is there always has its position. */
  positionMs: 30 * 24 * 3_600_000,
  logMs: 24 * 3_600_000,
  orderMs: 48 * 3_600_000,
} as const;
