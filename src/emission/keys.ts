import type { Id } from '@appointment-emissions/contracts';
import { companyTag } from '../domain/company-log.ts';

/** Names of the Redis keys of a company. */
export interface CompanyKeys {
  /** Hash: epoch, offset, read, history. */
  position: (companyId: Id) => string;
  /** Stream of {event, appointmentId, emissionId}; an entry's id is its offset. */
  log: (companyId: Id) => string;
  /** Hash of one appointment: its order token, and time, status, references and digest of its last published snapshot. */
  order: (companyId: Id, appointmentId: Id) => string;
  /** Sorted set of the appointments that were published, by the time of their last publication in ms; deleted ones are removed. */
  published: (companyId: Id) => string;
}

/**
 * Keys of one fleet's companies. Fleets with different prefixes share no key, also in one database. All keys of a
 * company have one hash tag, so a script may use them together on a Cluster; companies are spread over its slots.
 * `{emissions}` gives `{emissions:company:<id>}:log`.
 *
 * @param queuePrefix  `QUEUE_PREFIX`: a name in braces
 */
export function createCompanyKeys(queuePrefix: string): CompanyKeys {
  const tag = (companyId: Id): string => companyTag(queuePrefix, companyId);
  return {
    position: (companyId) => `${tag(companyId)}:position`,
    log: (companyId) => `${tag(companyId)}:log`,
    order: (companyId, appointmentId) => `${tag(companyId)}:order:${appointmentId}`,
    published: (companyId) => `${tag(companyId)}:published`,
  };
}

/** How long the index of published appointments keeps an appointment after its last publication, in ms. */
export const PUBLISHED_MS = 30 * 24 * 3_600_000;

/** Time after their last use until keys expire, in ms. */
export const LIFETIMES = {
  /** Longer than that of the log, so that a log always has its position. The publish script uses it for the index too. */
  positionMs: PUBLISHED_MS,
  logMs: 24 * 3_600_000,
  orderMs: 48 * 3_600_000,
} as const;
