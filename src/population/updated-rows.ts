import { createHash } from 'node:crypto';
import type { LeftOutRow, UpdatedRow, WrittenRow } from '../domain/updated-rows.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import type { Models } from './models.ts';
import { id, isObjectId, milliseconds, type RawDocument, words } from './stored-values.ts';

interface SortedRows {
  rows: UpdatedRow[];
  leftOut: LeftOutRow[];
}

/** The fields of an {@link UpdatedRow}, for a projection. */
export function rowProjection({
  companyField,
  times,
  statusField,
  deletedField = companyField,
}: AppointmentModel): Record<string, 1> {
  return {
    [companyField]: 1,
    [times.updatedAt]: 1,
    [times.createdAt]: 1,
    [statusField]: 1,
    [deletedField]: 1,
  };
}

/** Separates the rows that the sweep can emit from the others: it needs a readable `updatedAt` too. */
export function sortRows(models: Models, documents: readonly RawDocument[]): SortedRows {
  const sorted: SortedRows = { rows: [], leftOut: [] };
  for (const document of documents) {
    const row = toWrittenRow(models, document);
    const updatedAt = milliseconds(document[models.model.times.updatedAt]);
    if ('field' in row) sorted.leftOut.push(row);
    else if (updatedAt !== null) sorted.rows.push({ ...row, updatedAt });
    else {
      const { appointmentId } = row;
      sorted.leftOut.push({ key: appointmentId, appointmentId, field: 'updatedAt' });
    }
  }
  return sorted;
}

/** A row can be emitted if its `_id` is an ObjectId and its company can be read. */
export function toWrittenRow(
  { connection, isDeleted, model: { companyField, times, statusField } }: Models,
  document: RawDocument,
): WrittenRow | LeftOutRow {
  const { _id } = document;
  if (!isObjectId(_id)) {
    // An `_id` of another type can contain personal data: only its digest is kept.
    const text = connection.base.mongo.BSON.EJSON.stringify({ value: _id });
    return { key: createHash('sha256').update(text).digest('hex'), appointmentId: null, field: '_id' };
  }
  const appointmentId = _id.toHexString();
  const companyId = id(document[companyField]);
  if (companyId === null) return { key: appointmentId, appointmentId, field: 'companyId' };
  return {
    appointmentId,
    companyId,
    createdAt: milliseconds(document[times.createdAt]),
    status: words(document[statusField]),
    isDeleted: isDeleted(document),
  };
}
