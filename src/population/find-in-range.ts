import { type mongo, Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import { READ_LIMIT_MS } from './connect.ts';
import { matchId } from './match-id.ts';
import type { Models } from './models.ts';
import type { RawDocument } from './to-snapshot.ts';

/** Ids of a company's appointments with `from ≤ start < to` (ms since the epoch), by start, at most `limit`. */
export type FindInRange = (
  range: { companyId: Id; from: number; to: number },
  limit: number,
) => Promise<Id[]>;

/** @throws what the driver throws. */
export function createFindInRange({ Appointment }: Models): FindInRange {
  return async ({ companyId, from, to }, limit) => {
    const read = (more: mongo.Filter<mongo.Document>): Promise<RawDocument[]> =>
      Appointment.collection
        .find(
          {
            companyId: matchId(companyId),
            start: { $gte: new Date(from), $lt: new Date(to) },
            ...more,
          },
          { projection: { _id: 1 }, sort: { start: 1 }, limit, maxTimeMS: READ_LIMIT_MS },
        )
        .toArray();
    const documents = await read({});
    const ids = toIds(documents);
    // Rows with other ids must not take the places of those that can be listed: the list would seem complete.
    const isCut = documents.length === limit && ids.length < limit;
    return isCut ? toIds(await read({ _id: { $type: 'objectId' } })) : ids;
  };
}

const toIds = (documents: readonly RawDocument[]): Id[] =>
  documents.flatMap(({ _id }) => (_id instanceof Types.ObjectId ? _id.toHexString() : []));
