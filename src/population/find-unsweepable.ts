import type { mongo } from 'mongoose';
import type { LeftOutRow } from '../domain/updated-rows.ts';
import { toRows } from './find-updated.ts';
import type { Models } from './models.ts';

/** Every type of BSON but date, which a walk by date never meets. One filter each: the index answers a single type. */
const OTHER_TYPES = [
  ...['double', 'string', 'object', 'array', 'binData', 'objectId', 'bool', 'regex', 'javascript'],
  ...['int', 'timestamp', 'long', 'decimal', 'minKey', 'maxKey'],
] as const;
const LONGEST_QUERY_MS = 4_000;

/** Rows that a walk in the order of `(updatedAt, _id)` does not meet: at most `limit`. @throws what the driver throws. */
export type FindUnsweepable = (since: number, limit: number) => Promise<LeftOutRow[]>;

export function createFindUnsweepable({ Appointment }: Models): FindUnsweepable {
  return async (since, limit) => {
    const filter: mongo.Filter<mongo.Document> = {
      $or: [
        // Missing too.
        { updatedAt: null },
        ...OTHER_TYPES.map((type) => ({ updatedAt: { $type: type } })),
        { updatedAt: { $gte: new Date(since) }, _id: { $not: { $type: 'objectId' } } },
      ],
    };
    const documents = await Appointment.collection
      .find(filter, { projection: { companyId: 1, updatedAt: 1 }, limit, maxTimeMS: LONGEST_QUERY_MS })
      .toArray();
    return toRows(documents).leftOut;
  };
}
