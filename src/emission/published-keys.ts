import type { Id } from '@appointment-emissions/contracts';
import { PUBLISHED_MS } from './keys.ts';

export interface PublishedKeys {
  /** Sorted set of the companies with published appointments; all scores are 0, so that it is sorted by id. */
  companies: string;
  /** Hash of appointment → company, for the appointments of one bucket that were published in one period. */
  bucket: (period: number, appointmentId: Id) => string;
}

/** The periods by which appointment → company expires: a key expires as a whole. */
export const PERIOD_MS = 10 * 24 * 3_600_000;
/** Number of the last characters of an id that name its bucket: 4,096 hashes, small ones up to 1,000,000 appointments. */
const BUCKET_CHARACTERS = 3;

export const periodAt = (ms: number): number => Math.floor(ms / PERIOD_MS);
/** Number of periods after its own in which a bucket is kept. */
export const PERIODS_KEPT = PUBLISHED_MS / PERIOD_MS;

/** All have the hash tag of the queues, so one script writes them for all companies. @param prefix  `QUEUE_PREFIX` */
export function createPublishedKeys(prefix: string): PublishedKeys {
  return {
    companies: `${prefix}:published:companies`,
    bucket: (period, appointmentId) =>
      `${prefix}:published:${period}:${appointmentId.slice(-BUCKET_CHARACTERS)}`,
  };
}
