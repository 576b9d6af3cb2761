import type { Id } from '@appointment-emissions/contracts';
import { REFERENCE_FIELDS, type ReferenceField } from '../domain/references.ts';
import { READ_LIMIT_MS } from './connect.ts';
import { byIds } from './read-command.ts';
import { ownedBy, SOURCES } from './load-appointments.ts';
import type { Models } from './models.ts';
import { id, type RawDocument } from './to-snapshot.ts';

/** How many of the sampled appointments have a value in a reference field, and how many of these resolve to nothing. */
export interface ReferenceCheck {
  field: ReferenceField;
  /** Where the documents were looked for. */
  collection: string;
  referring: number;
  unresolved: number;
}

export type CheckReferences = () => Promise<ReferenceCheck[]>;

const SAMPLE = 100;
const SAMPLE_FIELDS = { companyId: 1, ...Object.fromEntries(REFERENCE_FIELDS.map((field) => [field, 1])) };

/**
 * Looks up the references of the newest appointments, apart from the loader, so that emissions do not pay for it. A single
 * dangling reference is normal; a field that never resolves is a wrong collection name or a wrong type of id.
 * @throws what the driver throws
 */
export function createCheckReferences(models: Models): CheckReferences {
  async function checkField(field: ReferenceField, sample: readonly RawDocument[]): Promise<ReferenceCheck> {
    const { collection } = models[SOURCES[field].model];
    const referring = sample.filter((appointment) => (appointment[field] ?? null) !== null);
    const ids = new Set(referring.flatMap((appointment) => id(appointment[field]) ?? []));
    const options = { projection: { companyId: 1 }, maxTimeMS: READ_LIMIT_MS };
    const documents = ids.size === 0 ? [] : await collection.find(byIds(ids), options).toArray();
    const byId = new Map<Id | null, RawDocument>(documents.map((document) => [id(document._id), document]));
    const unresolved = referring.filter(
      (appointment) => !ownedBy(id(appointment.companyId), byId.get(id(appointment[field]) ?? '')),
    );
    return {
      field,
      collection: collection.collectionName,
      referring: referring.length,
      unresolved: unresolved.length,
    };
  }

  return async () => {
    const sample = await models.Appointment.collection
      .find({}, { projection: SAMPLE_FIELDS, sort: { _id: -1 }, limit: SAMPLE, maxTimeMS: READ_LIMIT_MS })
      .toArray();
    return Promise.all(REFERENCE_FIELDS.map((field) => checkField(field, sample)));
  };
}
