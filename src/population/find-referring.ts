import type { mongo } from 'mongoose';
import type { FindReferring } from '../domain/changes.ts';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';
import { byIds } from './read-command.ts';
import { id, isObjectId, matchId, type RawDocument } from './stored-values.ts';

export function createFindReferring(models: Models): FindReferring {
  const { appointments, collection: collectionOf, model, ObjectId } = models;
  const { companyField, times, references } = models.model;
  return async ({ collection, documentId }, { from, to }, limit) => {
    const fields = references.filter((reference) => reference.collection === collection);
    const owners = [...new Set(fields.map((reference) => reference.companyField))];
    const document: RawDocument | null = await collectionOf(collection).findOne(
      byIds(ObjectId, new Set([documentId])),
      { projection: Object.fromEntries(owners.map((owner) => [owner, 1])), maxTimeMS: READ_LIMIT_MS },
    );
    const companyId = owners.map((owner) => id(document?.[owner])).find((owner) => owner !== null);
    if (companyId === undefined) return [];
    const filter: mongo.Filter<mongo.Document> = {
      [companyField]: matchId(ObjectId, companyId),
      [times.start]: { $gte: new Date(from), $lt: new Date(to) },
      $or: fields.map(({ field }) => ({ [field]: matchId(ObjectId, documentId) })),
    };
    const rows = await appointments()
      .find(filter, {
        projection: { _id: 1 },
        sort: { [model.times.start]: 1 },
        limit,
        maxTimeMS: READ_LIMIT_MS,
      })
      .toArray();
    return rows
      .map(({ _id }) => _id as unknown)
      .filter(isObjectId)
      .map((found) => found.toHexString());
  };
}
