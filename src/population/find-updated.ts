import { createHash } from 'node:crypto';
import { mongo, Types } from 'mongoose';
import type { Cursor, FindUpdated, LeftOutRow, UpdatedPage, UpdatedRow } from '../domain/updated-rows.ts';
import type { Models } from './models.ts';
import { id, type RawDocument } from './to-snapshot.ts';

export const UPDATED_ROW_FIELDS = { companyId: 1, updatedAt: 1, createdAt: 1, status: 1 } as const;
const FIRST_ID = '0'.repeat(24);
const LONGEST_QUERY_MS = 5_000;

/** Uses the index on both fields. @throws what the driver throws */
export function createFindUpdated({ Appointment }: Models): FindUpdated {
  return async (after, until, limit) => {
    const documents: RawDocument[] = await Appointment.collection
      .find(after.appointmentId === '' ? since(after.updatedAt, until) : beyond(after, until), {
        projection: UPDATED_ROW_FIELDS,
        sort: { updatedAt: 1, _id: 1 },
        limit,
        maxTimeMS: LONGEST_QUERY_MS,
      })
      .toArray();
    return { ...toRows(documents), next: documents.length < limit ? undefined : nextAfter(after, documents) };
  };
}

/** Of any kind: the index answers it alone. */
function since(updatedAt: number, until: number | undefined): mongo.Filter<mongo.Document> {
  return { updatedAt: { $gte: new Date(updatedAt), ...atMost(until) } };
}

/**
 * Only rows that have an ObjectId and one date. Comparisons of MongoDB stay within one type of BSON, and an array of dates
 * sorts by one of its elements: a cursor does not lead past such rows, so they stay out of all pages but the first.
 */
function beyond(
  { updatedAt, appointmentId }: Cursor,
  until: number | undefined,
): mongo.Filter<mongo.Document> {
  const oneDate = { $not: { $type: 'array' } };
  const first = new Types.ObjectId(FIRST_ID);
  return {
    $or: [
      {
        updatedAt: { $eq: new Date(updatedAt), ...oneDate },
        _id: appointmentId === FIRST_ID ? { $gte: first } : { $gt: new Types.ObjectId(appointmentId) },
      },
      { updatedAt: { $gt: new Date(updatedAt), ...atMost(until), ...oneDate }, _id: { $gte: first } },
    ],
  };
}

const atMost = (until: number | undefined) => (until === undefined ? {} : { $lte: new Date(until) });

/** From the last document that a cursor can stand at, whether or not it can be emitted. */
function nextAfter(after: Cursor, documents: readonly RawDocument[]): Cursor | undefined {
  const last = documents.findLast((document) => cursorOf(document) !== undefined);
  if (last) return cursorOf(last);
  // Behind a page of other ids there may be ObjectIds; behind a page of dates that no clock shows there is nothing.
  return after.appointmentId === '' ? { ...after, appointmentId: FIRST_ID } : undefined;
}

/** The documents that can be emitted, and the others. */
export function toRows(documents: readonly RawDocument[]): Pick<UpdatedPage, 'rows' | 'leftOut'> {
  const rows: UpdatedRow[] = [];
  const leftOut: LeftOutRow[] = [];
  for (const document of documents) {
    const row = toUpdatedRow(document);
    if ('field' in row) leftOut.push(row);
    else rows.push(row);
  }
  return { rows, leftOut };
}

function toUpdatedRow(document: RawDocument): UpdatedRow | LeftOutRow {
  const { _id } = document;
  if (!(_id instanceof Types.ObjectId)) return { key: keyOf(_id), appointmentId: null, field: '_id' };
  const appointmentId = _id.toHexString();
  const [companyId, updatedAt] = [id(document.companyId), ms(document.updatedAt)];
  if (companyId === null) return { key: appointmentId, appointmentId, field: 'companyId' };
  if (updatedAt === null) return { key: appointmentId, appointmentId, field: 'updatedAt' };
  const status = typeof document.status === 'string' ? document.status : null;
  return { appointmentId, companyId, updatedAt, createdAt: ms(document.createdAt), status };
}

/** Ids of other types are told apart without being kept: they may hold personal data. */
function keyOf(value: unknown): string {
  return createHash('sha256').update(mongo.BSON.EJSON.stringify({ value })).digest('hex');
}

function cursorOf({ _id, updatedAt }: RawDocument): Cursor | undefined {
  const time = ms(updatedAt);
  return _id instanceof Types.ObjectId && time !== null
    ? { appointmentId: _id.toHexString(), updatedAt: time }
    : undefined;
}

/** Null if it is no date, or none that JavaScript can hold. */
function ms(value: unknown): number | null {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() : null;
}
