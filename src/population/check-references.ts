import type { Id } from '@appointment-emissions/contracts';
import type { ReferenceModel } from '../model/appointment-model.ts';
import { READ_LIMIT_MS } from './connect.ts';
import { ownedBy } from './load-appointments.ts';
import type { Models } from './models.ts';
import { byIds } from './read-command.ts';
import { id, type RawDocument } from './stored-values.ts';

/** How many of the newest appointments have a value in a reference field, and how many of these values resolve to nothing. */
export interface ReferenceCheck {
  field: string;
  /** Where the documents were looked for. */
  collection: string;
  /** The collection does not exist or has no document. It is looked at only if no reference resolves. */
  isEmpty: boolean;
  referring: number;
  unresolved: number;
}

export type CheckReferences = () => Promise<ReferenceCheck[]>;

const SAMPLE = 100;

/**
 * Resolves the references of the newest appointments, apart from the loader, so that emissions do not pay for it. A single
 * dangling reference is normal. If a field never resolves, the name of its collection or the type of its ids is wrong.
 * @throws what the driver throws
 */
export function createCheckReferences({
  collection: collectionOf,
  appointments,
  model,
  ObjectId,
}: Models): CheckReferences {
  const fields = [model.companyField, ...model.references.map(({ field }) => field)];
  const projection = Object.fromEntries(fields.map((field) => [field, 1]));

  async function checkReference(
    { field, collection: name, companyField }: ReferenceModel,
    sample: readonly RawDocument[],
  ): Promise<ReferenceCheck> {
    const collection = collectionOf(name);
    const referring = sample.filter((appointment) => (appointment[field] ?? null) !== null);
    const ids = new Set(referring.flatMap((appointment) => id(appointment[field]) ?? []));
    const options = { projection: { [companyField]: 1 }, maxTimeMS: READ_LIMIT_MS };
    const documents = ids.size === 0 ? [] : await collection.find(byIds(ObjectId, ids), options).toArray();
    const byId = new Map<Id | null, RawDocument>(documents.map((document) => [id(document._id), document]));
    const unresolved = referring.filter((appointment) => {
      const owner = id(appointment[model.companyField]);
      return !ownedBy(owner, byId.get(id(appointment[field]) ?? ''), companyField);
    }).length;
    const isEmpty =
      referring.length > 0 && documents.length === 0 && (await collection.findOne({}, options)) === null;
    return { field, collection: name, isEmpty, referring: referring.length, unresolved };
  }

  return async () => {
    const sample = await appointments()
      .find({}, { projection, sort: { _id: -1 }, limit: SAMPLE, maxTimeMS: READ_LIMIT_MS })
      .toArray();
    return Promise.all(model.references.map((reference) => checkReference(reference, sample)));
  };
}
