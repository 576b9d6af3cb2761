import { type mongo, Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import { toRows, UPDATED_ROW_FIELDS, type UpdatedRow } from './find-updated.ts';
import { matchId } from './match-id.ts';
import type { Models } from './models.ts';

const LONGEST_QUERY_MS = 4_000;

/**
 * Appointments of a company, or one appointment, written at `since` (ms) or later: the oldest write first, at most
 * `limit`, and how many there are. @throws what the driver throws.
 */
export function createFindWritten({ Appointment }: Models) {
  return async (
    subject: { companyId: Id } | { appointmentId: Id },
    since: number,
    limit: number,
  ): Promise<{ rows: UpdatedRow[]; matched: number }> => {
    const whose =
      'companyId' in subject
        ? { companyId: matchId(subject.companyId) }
        : { _id: new Types.ObjectId(subject.appointmentId) };
    const filter: mongo.Filter<mongo.Document> = { ...whose, updatedAt: { $gte: new Date(since) } };
    const collection = Appointment.collection;
    const [documents, matched] = await Promise.all([
      collection
        .find(filter, {
          projection: UPDATED_ROW_FIELDS,
          sort: { updatedAt: 1, _id: 1 },
          limit,
          maxTimeMS: LONGEST_QUERY_MS,
        })
        .toArray(),
      collection.countDocuments(filter, { maxTimeMS: LONGEST_QUERY_MS }),
    ]);
    return { rows: toRows(documents).rows, matched };
  };
}
