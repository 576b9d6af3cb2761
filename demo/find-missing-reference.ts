import { Types, type Connection } from 'mongoose';
import type { ReferenceName } from '@appointment-emissions/bot';
import type { Id } from '@appointment-emissions/contracts';
import { COLLECTIONS } from './models.ts';
import { id } from '../src/population/stored-values.ts';

const OPTIONS = {
  maxTimeMS: 2_000,
  enableUtf8Validation: false,
  projection: { companyId: 1, customerId: 1, serviceId: 1 },
};

type Requested = { [name in ReferenceName]?: string | undefined };
/** Reference fields that the document must have, with their ids in hex. */
type Owners = Record<string, string | undefined>;

/**
 * Finds an id in a request that the company does not have. A model may invent ids, or be persuaded to use those of another company.
 */
export function createFindMissingReference(connection: Connection, companyId: Id) {
  async function exists(collection: string, documentId: string, owners: Owners): Promise<boolean> {
    const filter = { _id: new Types.ObjectId(documentId) };
    const document = await connection.collection(collection).findOne(filter, OPTIONS);
    return (
      document !== null &&
      Object.entries(owners).every(([field, owner]) => id(document[field]) === owner?.toLowerCase())
    );
  }

  return async function findMissingReference(requested: Requested): Promise<ReferenceName | undefined> {
    const { customerId, petId, serviceId, serviceItemId, staffId } = requested;
    const references: [ReferenceName, string, string | undefined, Owners][] = [
      ['customerId', COLLECTIONS.customers, customerId, { companyId }],
      ['petId', COLLECTIONS.pets, petId, { companyId, customerId }],
      ['serviceId', COLLECTIONS.services, serviceId, { companyId }],
      ['serviceItemId', COLLECTIONS.serviceItems, serviceItemId, { companyId, serviceId }],
      ['staffId', COLLECTIONS.staff, staffId, { companyId }],
    ];
    const found = await Promise.all(
      references.map(
        async ([, collection, requestedId, owners]) =>
          requestedId === undefined || exists(collection, requestedId, owners),
      ),
    );
    return references[found.indexOf(false)]?.[0];
  };
}
