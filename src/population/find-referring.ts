import type { FindReferring } from '../domain/changes.ts';
import { READ_LIMIT_MS } from './connect.ts';
import { createFindInRange } from './find-in-range.ts';
import type { Models } from './models.ts';
import { byIds } from './read-command.ts';
import { id, matchId, type RawDocument } from './stored-values.ts';

export function createFindReferring(models: Models): FindReferring {
  const { collection: collectionOf, ObjectId } = models;
  const { references } = models.model;
  const findInRange = createFindInRange(models);
  return async ({ collection, documentId }, range, limit) => {
    const fields = references.filter((reference) => reference.collection === collection);
    const owners = [...new Set(fields.map((reference) => reference.companyField))];
    const document: RawDocument | null = await collectionOf(collection).findOne(
      byIds(ObjectId, new Set([documentId])),
      { projection: Object.fromEntries(owners.map((owner) => [owner, 1])), maxTimeMS: READ_LIMIT_MS },
    );
    const companyId = owners.map((owner) => id(document?.[owner])).find((owner) => owner !== null);
    if (companyId === undefined) return [];
    const refers = { $or: fields.map(({ field }) => ({ [field]: matchId(ObjectId, documentId) })) };
    return findInRange({ companyId, ...range }, limit, refers);
  };
}
