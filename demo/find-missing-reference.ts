import { Types, type Connection } from 'mongoose';
import type { ReferenceName } from '@appointment-emissions/bot';
import { COLLECTIONS } from '../src/population/collections.ts';

const OPTIONS = { maxTimeMS: 2_000, projection: { _id: 1 } };

/** Tells which id of a request names nothing in this company: a model may make ids up, or be talked into others'. */
export function createFindMissingReference(connection: Connection, companyId: Types.ObjectId) {
  async function isThere(
    collection: string,
    id: string,
    more: Record<string, Types.ObjectId> = {},
  ): Promise<boolean> {
    const filter = { _id: new Types.ObjectId(id), companyId, ...more };
    return (await connection.collection(collection).findOne(filter, OPTIONS)) !== null;
  }

  return async function findMissingReference({
    customerId,
    petId,
    serviceId,
    serviceItemId,
    staffId,
  }: { [name in ReferenceName]?: string | undefined }): Promise<ReferenceName | undefined> {
    const ofCustomer = { customerId: new Types.ObjectId(customerId) };
    const ofService = { serviceId: new Types.ObjectId(serviceId) };
    const asked: [ReferenceName, string, string | undefined, Record<string, Types.ObjectId>?][] = [
      ['customerId', COLLECTIONS.customers, customerId],
      ['petId', COLLECTIONS.pets, petId, ofCustomer],
      ['serviceId', COLLECTIONS.services, serviceId],
      ['serviceItemId', COLLECTIONS.serviceItems, serviceItemId, ofService],
      ['staffId', COLLECTIONS.staff, staffId],
    ];
    const found = await Promise.all(
      asked.map(async ([, collection, id, more]) => id === undefined || isThere(collection, id, more)),
    );
    return asked[found.indexOf(false)]?.[0];
  };
}
