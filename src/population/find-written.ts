import { type mongo, Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import type { UpdatedRow } from '../domain/updated-rows.ts';
import { UPDATED_ROW_FIELDS } from './find-updated.ts';
import { matchId } from './match-id.ts';
import type { Models } from './models.ts';
import { id, type RawDocument } from './to-snapshot.ts';

type WrittenRow = Omit<UpdatedRow, 'updatedAt'>;

const LONGEST_QUERY_MS = 4_000;

/** Rows are sought again in place of those that cannot be emitted, so often at most. */
const MAX_PAGES = 20;

/**
 * Appointments of a company, or one appointment, written at `since` (ms) or later: the oldest write first, at most
 * `limit`, how many there are, and how many of those met on the way cannot be emitted. Of one appointment the time does not
 * matter if `updatedAt` is no date. @throws what the driver throws.
 */
export function createFindWritten({ Appointment }: Models) {
  return async (
    subject: { companyId: Id } | { appointmentId: Id },
    since: number,
    limit: number,
  ): Promise<{ rows: WrittenRow[]; matched: number; leftOut: number }> => {
    const filter = filterOf(subject, since);
    const collection = Appointment.collection;
    const counted = collection.countDocuments(filter, { maxTimeMS: LONGEST_QUERY_MS });
    counted.catch(() => undefined);
    const rows: WrittenRow[] = [];
    let leftOut = 0;
    // By number: a row that moves meanwhile was written anew, and then is the sweep's or the bot's.
    for (let page = 0, skip = 0; page < MAX_PAGES && rows.length < limit; page += 1) {
      const documents: RawDocument[] = await collection
        .find(filter, {
          projection: UPDATED_ROW_FIELDS,
          sort: { updatedAt: 1, _id: 1 },
          skip,
          limit,
          maxTimeMS: LONGEST_QUERY_MS,
        })
        .toArray();
      const usable = documents.flatMap((document) => toWrittenRow(document) ?? []);
      leftOut += documents.length - usable.length;
      rows.push(...usable.slice(0, limit - rows.length));
      skip += documents.length;
      if (documents.length < limit) break;
    }
    return { rows, matched: await counted, leftOut };
  };
}

function filterOf(
  subject: { companyId: Id } | { appointmentId: Id },
  since: number,
): mongo.Filter<mongo.Document> {
  const written = { updatedAt: { $gte: new Date(since) } };
  if ('companyId' in subject) {
    return { companyId: matchId(subject.companyId), ...written };
  }
  const _id = new Types.ObjectId(subject.appointmentId);
  return { _id, $or: [written, { updatedAt: { $not: { $type: 'date' } } }] };
}

/** `undefined` if `_id` or `companyId` is of a type that cannot be emitted. */
function toWrittenRow(document: RawDocument): WrittenRow | undefined {
  const companyId = id(document.companyId);
  if (!(document._id instanceof Types.ObjectId) || companyId === null) return undefined;
  const { createdAt, status } = document;
  return {
    appointmentId: document._id.toHexString(),
    companyId,
    createdAt: createdAt instanceof Date ? createdAt.getTime() : null,
    status: typeof status === 'string' ? status : null,
  };
}
