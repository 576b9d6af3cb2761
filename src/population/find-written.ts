import type { mongo } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import type { WrittenRow } from '../domain/updated-rows.ts';
import type { Models } from './models.ts';
import { byIds } from './read-command.ts';
import { matchId, type RawDocument } from './stored-values.ts';
import { rowProjection, toWrittenRow } from './updated-rows.ts';

/** Whose appointments: those of a company, or one appointment. */
type Subject = { companyId: Id } | { appointmentId: Id };

const MAX_QUERY_MS = 4_000;
/** Rows that cannot be emitted are replaced by rows of the next page. This limits the pages. */
const MAX_PAGES = 20;

/**
 * Finds what was written at `since` (ms since 1970) or later: the oldest write first, at most `limit` rows. `matched` counts
 * all, `leftOut` the rows on these pages that cannot be emitted. A single appointment is also found if its `updatedAt` is not a
 * date.
 * @throws what the driver throws
 */
export function createFindWritten(models: Models) {
  const { appointments, model } = models;
  const projection = rowProjection(model);
  const sort = { [model.times.updatedAt]: 1, _id: 1 } as const;
  return async (
    subject: Subject,
    since: number,
    limit: number,
  ): Promise<{ rows: WrittenRow[]; matched: number; leftOut: number }> => {
    const filter = filterOf(models, subject, since);
    const counted = appointments().countDocuments(filter, { maxTimeMS: MAX_QUERY_MS });
    counted.catch(() => undefined);
    const rows: WrittenRow[] = [];
    let leftOut = 0;
    // A row that moves to a later page in the meantime was written again: the sweep or the bot announces that write.
    for (let page = 0, skip = 0; page < MAX_PAGES && rows.length < limit; page += 1) {
      const documents: RawDocument[] = await appointments()
        .find(filter, { projection, sort, skip, limit, maxTimeMS: MAX_QUERY_MS })
        .toArray();
      const usable = usableRows(models, documents);
      leftOut += documents.length - usable.length;
      rows.push(...usable.slice(0, limit - rows.length));
      skip += documents.length;
      if (documents.length < limit) break;
    }
    return { rows, matched: await counted, leftOut };
  };
}

function filterOf(
  { model: { companyField, times }, ObjectId }: Models,
  subject: Subject,
  since: number,
): mongo.Filter<mongo.Document> {
  const written = { [times.updatedAt]: { $gte: new Date(since) } };
  if ('companyId' in subject) return { [companyField]: matchId(ObjectId, subject.companyId), ...written };
  const _id = new ObjectId(subject.appointmentId);
  return { _id, $or: [written, { [times.updatedAt]: { $not: { $type: 'date' } } }] };
}

/** The rows of these appointments; without those that do not exist or cannot be emitted. @throws what the driver throws */
export function createFindRows(models: Models): (ids: readonly Id[]) => Promise<WrittenRow[]> {
  const { appointments, model, ObjectId } = models;
  const projection = rowProjection(model);
  return async (ids) => {
    const documents: RawDocument[] = await appointments()
      .find(byIds(ObjectId, new Set(ids)), { projection, maxTimeMS: MAX_QUERY_MS })
      .toArray();
    return usableRows(models, documents);
  };
}

/** The rows that can be emitted. */
function usableRows(models: Models, documents: readonly RawDocument[]): WrittenRow[] {
  return documents.flatMap((document) => {
    const row = toWrittenRow(models, document);
    return 'field' in row ? [] : [row];
  });
}
