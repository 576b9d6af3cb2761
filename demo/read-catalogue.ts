import { type Connection, Types } from 'mongoose';
import type { ChatAppointment, ChatCatalogue } from './chat.ts';
import { COLLECTIONS } from './models.ts';
import { amount, date, id, matchId, type RawDocument, words } from '../src/population/stored-values.ts';
import { NOT_FREED } from './appointment-row.ts';

const OPTIONS = { maxTimeMS: 2_000, enableUtf8Validation: false };
const MAX_APPOINTMENTS = 500;
const MAX_DOCUMENTS = 500;

/** Reads the choices of the chat form: customers with their pets, services, staff and appointments. */
export function createReadCatalogue(connection: Connection, companyId: string) {
  const company = { companyId: matchId(Types.ObjectId, companyId) };
  const read = (collection: string, order: string): Promise<RawDocument[]> =>
    connection
      .collection(collection)
      .find(company, OPTIONS)
      .sort({ [order]: 1 })
      .limit(MAX_DOCUMENTS)
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
        customers: customers.flatMap((customer) => toChatCustomer(customer, pets)),
        services: services.flatMap((service) =>
          named(service, 'name').map((name) => ({
            ...name,
            items: of(items, 'serviceId', service).flatMap(({ _id, size, price }) => {
              const itemId = id(_id);
              return itemId === null ? [] : [{ id: itemId, size: words(size) ?? '', price: amount(price) }];
            }),
          })),
        ),
        staff: staff.flatMap((person) => named(person, 'fullName')),
      };
    },

    /** The appointments that have not ended, of all customers or of one. */
    async appointments(now: Date, customerId?: string): Promise<ChatAppointment[]> {
      const customer = customerId === undefined ? {} : { customerId: matchId(Types.ObjectId, customerId) };
      const rows: RawDocument[] = await connection
        .collection(COLLECTIONS.appointments)
        .find(
          {
            ...company,
            ...customer,
            ...NOT_FREED,
            $and: [{ $or: [{ start: { $gt: now } }, { end: { $gt: now } }] }],
          },
          OPTIONS,
        )
        .sort({ start: 1 })
        .limit(MAX_APPOINTMENTS)
        .toArray();
      return rows.flatMap(toChatAppointment);
    },
  };
}

/** Returns an empty list if the id is not usable. */
function toChatCustomer(customer: RawDocument, pets: RawDocument[]): ChatCatalogue['customers'] {
  return named(customer, 'fullName').map((name) => ({
    ...name,
    pets: of(pets, 'customerId', customer).flatMap((pet) =>
      named(pet, 'name').map((petName) => ({ ...petName, size: words(pet.size) ?? '' })),
    ),
  }));
}

/** Returns an empty list if the id or the start is not usable. */
function toChatAppointment({ _id, petId, serviceId, staffId, start, end }: RawDocument): ChatAppointment[] {
  const [appointmentId, startsAt] = [id(_id), date(start)];
  if (appointmentId === null || startsAt === null) return [];
  return [
    {
      id: appointmentId,
      petId: id(petId),
      serviceId: id(serviceId),
      staffId: id(staffId),
      start: startsAt.toISOString(),
      end: date(end)?.toISOString() ?? null,
    },
  ];
}

function of(documents: RawDocument[], reference: string, owner: RawDocument): RawDocument[] {
  const ownerId = id(owner._id);
  return documents.filter((document) => ownerId !== null && id(document[reference]) === ownerId);
}

/** Returns an empty list if the id of the document is not usable as a tool argument. */
function named(document: RawDocument, field: string): { id: string; name: string }[] {
  const documentId = id(document._id);
  return documentId === null ? [] : [{ id: documentId, name: words(document[field]) ?? 'Unnamed' }];
}
