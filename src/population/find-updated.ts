import type { mongo } from 'mongoose';
import type { Cursor, FindUpdated, LeftOutRow } from '../domain/updated-rows.ts';
import type { Id } from '@appointment-emissions/contracts';
import { notDeleted } from '../model/appointment-model.ts';
import type { Models } from './models.ts';
import { byIds, readCommand } from './read-command.ts';
import { id, isObjectId, milliseconds, type ObjectIdClass, type RawDocument } from './stored-values.ts';
import { rowProjection, sortRows } from './updated-rows.ts';

const FIRST_ID = '0'.repeat(24);
const MAX_QUERY_MS = 5_000;

/** Uses the index on `(updatedAt, _id)`. @throws what the driver throws */
export function createFindUpdated(models: Models): FindUpdated {
  const { appointments, model, ObjectId } = models;
  const { updatedAt } = model.times;
  const projection = rowProjection(model);
  return async (after, until, limit) => {
    const filter =
      after.appointmentId === '' ? since(updatedAt, after, until) : beyond(updatedAt, after, until, ObjectId);
    const documents: RawDocument[] = await appointments()
      .find(filter, {
        projection,
        sort: { [updatedAt]: 1, _id: 1 },
        limit,
        maxTimeMS: MAX_QUERY_MS,
      })
      .toArray();
    return {
      ...sortRows(models, documents),
      next: documents.length < limit ? undefined : nextAfter(updatedAt, after, documents),
    };
  };
}

/** Rows with any kind of `_id`: the index alone answers this. */
function since(field: string, after: Cursor, until: number | undefined): mongo.Filter<mongo.Document> {
  return { [field]: { $gte: new Date(after.updatedAt), ...atMost(until) } };
}

/**
 * Only rows with an ObjectId and a single date. MongoDB compares values of the same BSON type only, and sorts an array of
 * dates by one of its elements: a cursor does not lead past such rows, so only the first page contains them.
 */
function beyond(
  field: string,
  after: Cursor,
  until: number | undefined,
  ObjectId: ObjectIdClass,
): mongo.Filter<mongo.Document> {
  const oneDate = { $not: { $type: 'array' } };
  const first = new ObjectId(FIRST_ID);
  return {
    $or: [
      {
        [field]: { $eq: new Date(after.updatedAt), ...oneDate },
        _id: after.appointmentId === FIRST_ID ? { $gte: first } : { $gt: new ObjectId(after.appointmentId) },
      },
      { [field]: { $gt: new Date(after.updatedAt), ...atMost(until), ...oneDate }, _id: { $gte: first } },
    ],
  };
}

const atMost = (until: number | undefined) => (until === undefined ? {} : { $lte: new Date(until) });

/** The last document that a cursor can point to, whether or not it can be emitted. */
function nextAfter(field: string, after: Cursor, documents: readonly RawDocument[]): Cursor | undefined {
  const last = documents.findLast((document) => cursorAt(field, document));
  if (last) return cursorAt(field, last);
  // ObjectIds can follow a page of other ids. Nothing follows a page of dates that JavaScript cannot express.
  return after.appointmentId === '' ? { ...after, appointmentId: FIRST_ID } : undefined;
}

function cursorAt(field: string, document: RawDocument): Cursor | undefined {
  const { _id } = document;
  const updatedAt = milliseconds(document[field]);
  return isObjectId(_id) && updatedAt !== null ? { appointmentId: _id.toHexString(), updatedAt } : undefined;
}

/** Every BSON type but date, which a walk by date never meets. One filter for each: the index answers a single type. */
const OTHER_TYPES = [
  ...['double', 'string', 'object', 'array', 'binData', 'objectId', 'bool', 'regex', 'javascript'],
  ...['int', 'timestamp', 'long', 'decimal', 'minKey', 'maxKey'],
] as const;
const MAX_UNSWEEPABLE_QUERY_MS = 4_000;

/** Rows that a walk in the order of `(updatedAt, _id)` does not meet, at most `limit`. @throws what the driver throws */
export type FindUnsweepable = (since: number, limit: number) => Promise<LeftOutRow[]>;

export function createFindUnsweepable(models: Models): FindUnsweepable {
  const { appointments, model } = models;
  const { updatedAt } = model.times;
  const projection = rowProjection(model);
  return async (since, limit) => {
    const filter: mongo.Filter<mongo.Document> = {
      $or: [
        // Missing fields match too.
        { [updatedAt]: null },
        ...OTHER_TYPES.map((type) => ({ [updatedAt]: { $type: type } })),
        { [updatedAt]: { $gte: new Date(since) }, _id: { $not: { $type: 'objectId' } } },
      ],
    };
    const documents = await appointments()
      .find(filter, { projection, limit, maxTimeMS: MAX_UNSWEEPABLE_QUERY_MS })
      .toArray();
    return sortRows(models, documents).leftOut;
  };
}

/** The appointments that do not exist, or are marked as deleted. @throws what the driver throws: then nothing is known */
export type FindMissing = (appointmentIds: readonly Id[]) => Promise<ReadonlySet<Id>>;

/** Reads from the primary, like a worker that publishes. */
export function createFindMissing({ connection, model, ObjectId }: Models): FindMissing {
  return async (appointmentIds) => {
    const missing = new Set(appointmentIds);
    const filter = { ...byIds(ObjectId, missing), ...notDeleted(model) };
    const documents = await readCommand(connection, model.collection, { filter, projection: { _id: 1 } });
    for (const document of documents) missing.delete(id(document['_id']) ?? '');
    return missing;
  };
}

/** Whether the collection has any document. It has none if it was dropped or renamed. @throws what the driver throws */
export function createHasAppointments({ appointments }: Models): () => Promise<boolean> {
  return async () =>
    (await appointments().findOne({}, { projection: { _id: 1 }, maxTimeMS: MAX_QUERY_MS })) !== null;
}
