import type { Id } from '@appointment-emissions/contracts';

/** An appointment that dashboards have received, and may still show. */
export interface PublishedAppointment {
  appointmentId: Id;
  companyId: Id;
  /** Of its last publication: ms since 1970, by Redis' clock. */
  publishedAt: number;
}

/** A position in a walk over the published appointments: by company, and within a company the newest first. */
export interface PublishedCursor {
  /** `''` is before every company. */
  companyId: Id;
  /** The walk goes on with this company's appointments that were published then or earlier; null: with the next company. */
  publishedAt: number | null;
}

export interface PublishedPage {
  appointments: PublishedAppointment[];
  /** Where the next page begins; `undefined` after the last page. */
  next: PublishedCursor | undefined;
}

/**
 * Reads up to `limit` appointments that were published at `since` (ms since 1970) or later. A page can be smaller, or empty,
 * without being the last one. @throws the errors of Redis
 */
export type ReadPublishedPage = (
  from: PublishedCursor,
  options: { since: number; limit: number },
) => Promise<PublishedPage>;
