import type { mongo } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import type { ViewerScope } from '../domain/scope.ts';
import { READ_LIMIT_MS } from './connect.ts';
import { notDeleted } from '../model/appointment-model.ts';
import type { Models } from './models.ts';
import { isObjectId, matchId, type ObjectIdClass, type RawDocument } from './stored-values.ts';

/**
 * Ids of a company's appointments with `from ≤ start < to` (ms since 1970), by start, at most `limit`; without deleted ones,
 * and of the scope only, if there is one.
 * @param more  a further condition
 */
export type FindInRange = (
  range: { companyId: Id; from: number; to: number; scope?: ViewerScope | undefined },
  limit: number,
  more?: mongo.Filter<mongo.Document>,
) => Promise<Id[]>;

/** @throws what the driver throws */
export function createFindInRange({ appointments, model, ObjectId }: Models): FindInRange {
  const { companyField, times } = model;
  return async ({ companyId, from, to, scope }, limit, more = {}) => {
    const read = (ids: mongo.Filter<mongo.Document>): Promise<RawDocument[]> =>
      appointments()
        .find(
          {
            [companyField]: matchId(ObjectId, companyId),
            [times.start]: { $gte: new Date(from), $lt: new Date(to) },
            ...notDeleted(model),
            ...(scope && matchScope(ObjectId, scope)),
            ...more,
            ...ids,
          },
          { projection: { _id: 1 }, sort: { [times.start]: 1 }, limit, maxTimeMS: READ_LIMIT_MS },
        )
        .toArray();
    const documents = await read({});
    const ids = toIds(documents);
    // Rows that cannot be listed must not displace rows that can: the list would look complete.
    const isCut = documents.length === limit && ids.length < limit;
    return isCut ? toIds(await read({ _id: { $type: 'objectId' } })) : ids;
  };
}

/** A superset of the scope: a reference that does not resolve is `null` in the snapshot. */
function matchScope(
  ObjectId: ObjectIdClass,
  { staffIds, locationIds }: ViewerScope,
): mongo.Filter<mongo.Document> {
  const anyOf = (ids: readonly Id[]) => ({ $in: ids.flatMap((id) => matchId(ObjectId, id).$in) });
  return {
    ...(staffIds && { staffId: anyOf(staffIds) }),
    ...(locationIds && { locationId: anyOf(locationIds) }),
  };
}

function toIds(documents: readonly RawDocument[]): Id[] {
  return documents.flatMap(({ _id }) => (isObjectId(_id) ? _id.toHexString() : []));
}
