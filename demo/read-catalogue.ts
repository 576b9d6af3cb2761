import { Types, type Connection } from 'mongoose';
import type { ChatAppointment, ChatCatalogue } from './chat.ts';
import { COLLECTIONS } from '../src/population/collections.ts';

type Row = Record<string, unknown>;

const OPTIONS = { maxTimeMS: 2_000 };
const MOST_APPOINTMENTS = 100;

/** What the chat's form offers: the company's customers with their pets, its services, staff, and appointments to come. */
export function createReadCatalogue(connection: Connection, companyId: string) {
  const company = { companyId: new Types.ObjectId(companyId) };
  const read = (collection: string, order: string): Promise<Row[]> =>
    connection
      .collection(collection)
      .find(company, OPTIONS)
      .sort({ [order]: 1 })
      .limit(500)
      .toArray();

  return {
    async catalogue(): Promise<Pick<ChatCatalogue, 'customers' | 'services' | 'staff'>> {
      const [customers, pets, services, items, staff] = await Promise.all([
        read(COLLECTIONS.customers, 'fullName'),
        read(COLLECTIONS.pets, 'name'),
        read(COLLECTIONS.services, 'name'),
        read(COLLECTIONS.serviceItems, 'price'),
        read(COLLECTIONS.staff, 'fullName'),
      ]);
      return {
        customers: customers.map((customer) => ({
          ...named(customer, 'fullName'),
          pets: of(pets, 'customerId', customer).map((pet) => ({
            ...named(pet, 'name'),
            size: text(pet.size),
          })),
        })),
        services: services.map((service) => ({
          ...named(service, 'name'),
          items: of(items, 'serviceId', service).map(({ _id, size, price }) => ({
            id: text(_id),
            size: text(size),
            price: Number(price),
          })),
        })),
        staff: staff.map((person) => named(person, 'fullName')),
      };
    },

    async appointments(now: Date): Promise<ChatAppointment[]> {
      const rows: Row[] = await connection
        .collection(COLLECTIONS.appointments)
        .find({ ...company, start: { $gt: now }, status: { $ne: 'canceled' } }, OPTIONS)
        .sort({ start: 1 })
        .limit(MOST_APPOINTMENTS)
        .toArray();
      return rows.map(({ _id, petId, serviceId, staffId, start, end }) => ({
        id: text(_id),
        petId: text(petId),
        serviceId: text(serviceId),
        staffId: text(staffId),
        start: (start as Date).toISOString(),
        end: (end as Date).toISOString(),
      }));
    },
  };
}

function of(rows: Row[], reference: string, owner: Row): Row[] {
  return rows.filter((row) => text(row[reference]) === text(owner._id));
}

function named(row: Row, field: string): { id: string; name: string } {
  return { id: text(row._id), name: text(row[field]) };
}

function text(value: unknown): string {
  return value instanceof Types.ObjectId ? value.toHexString() : typeof value === 'string' ? value : '';
}
