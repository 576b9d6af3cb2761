import mongoose, { Types } from 'mongoose';
import { randomUUID } from 'node:crypto';
import { createBookingService } from '../../demo/booking-service.ts';
import { COLLECTIONS } from '../../demo/models.ts';
import { later } from './bot-world.ts';

/** A company with a customer, a pet, a service and two groomers, in a new database. */
export async function startBookings() {
  const uri = process.env.TEST_MONGODB_URI;
  if (uri === undefined) throw new Error('TEST_MONGODB_URI is set by the global setup');
  const dbName = `bot_${randomUUID().slice(0, 8)}`;
  const connection = await mongoose.createConnection(uri, { dbName }).asPromise();
  later(async () => {
    await connection.dropDatabase();
    await connection.close();
  });

  const companyId = new Types.ObjectId();
  async function insert(collection: string, document: object = {}): Promise<string> {
    const { insertedId } = await connection.collection(collection).insertOne({ companyId, ...document });
    return String(insertedId);
  }
  const customerId = await insert(COLLECTIONS.customers);
  const serviceId = await insert(COLLECTIONS.services);
  const ids = {
    customerId,
    serviceId,
    petId: await insert(COLLECTIONS.pets, { customerId: new Types.ObjectId(customerId) }),
    serviceItemId: await insert(COLLECTIONS.serviceItems, { serviceId: new Types.ObjectId(serviceId) }),
    staffId: await insert(COLLECTIONS.staff),
    otherStaffId: await insert(COLLECTIONS.staff),
  };
  const appointments = connection.collection(COLLECTIONS.appointments);
  const { otherStaffId, ...reference } = ids;
  return {
    uri,
    dbName,
    connection,
    companyId: String(companyId),
    ids,
    insert,
    appointments,
    service: createBookingService({ connection, companyId: String(companyId) }),
    /** A request for this many minutes after nine on a future day. */
    request: (minute: number, durationMinutes = 60, more: object = {}) => ({
      ...reference,
      start: at(minute),
      durationMinutes,
      ...more,
    }),
    otherStaffId,
    /** Another pet of the same customer. */
    otherPet: () => insert(COLLECTIONS.pets, { customerId: new Types.ObjectId(customerId) }),
    read: (id: string) => appointments.findOne({ _id: new Types.ObjectId(id) }),
  };
}

export function at(minute: number): Date {
  return new Date(Date.parse('2031-05-14T09:00:00Z') + minute * 60_000);
}

/** The booking that was done. */
export function done<T extends { outcome: string }>(result: T): Extract<T, { outcome: 'done' }> {
  if (result.outcome !== 'done') throw new Error(`expected it to be done, but: ${JSON.stringify(result)}`);
  return result as Extract<T, { outcome: 'done' }>;
}
