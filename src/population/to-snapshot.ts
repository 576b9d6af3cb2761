import { Types } from 'mongoose';
import type { AppointmentSnapshot } from '@appointment-emissions/contracts';

/** A document as the driver returns it: nothing is taken for granted about its fields. */
export type RawDocument = Readonly<Record<string, unknown>>;

/** The documents that one appointment refers to; `undefined` where one is missing or another company's. */
export interface References {
  customer: RawDocument | undefined;
  pet: RawDocument | undefined;
  service: RawDocument | undefined;
  serviceItem: RawDocument | undefined;
  staff: RawDocument | undefined;
}

/**
 * Turns documents into the plain JSON that screens are sent. Field by field: what is not named here is never sent,
 * and a field of the wrong type becomes `null` instead of reaching a screen.
 */
export function toSnapshot(appointment: RawDocument, references: References): AppointmentSnapshot {
  const { customer, pet, service, serviceItem, staff } = references;
  return {
    _id: id(appointment._id) ?? '',
    companyId: id(appointment.companyId) ?? '',
    customerId: customer
      ? {
          _id: id(customer._id) ?? '',
          fullName: words(customer.fullName),
          email: words(customer.email),
          phone: words(customer.phone),
        }
      : null,
    petId: pet
      ? {
          _id: id(pet._id) ?? '',
          name: words(pet.name),
          species: words(pet.species),
          breed: words(pet.breed),
          size: words(pet.size),
          coatType: words(pet.coatType),
        }
      : null,
    serviceId: service ? { _id: id(service._id) ?? '', name: words(service.name) } : null,
    serviceItemId: serviceItem
      ? {
          _id: id(serviceItem._id) ?? '',
          size: words(serviceItem.size),
          coatType: words(serviceItem.coatType),
          price: amount(serviceItem.price),
        }
      : null,
    staffId: staff
      ? { _id: id(staff._id) ?? '', fullName: words(staff.fullName), role: words(staff.role) }
      : null,
    locationId: id(appointment.locationId),
    start: instant(appointment.start),
    end: instant(appointment.end),
    status: words(appointment.status),
    source: words(appointment.source),
    notes: words(appointment.notes),
    createdAt: instant(appointment.createdAt),
    updatedAt: instant(appointment.updatedAt),
  };
}

/** The hex form of an ObjectId or of a 24-hex string, else `null`. */
export function id(value: unknown): string | null {
  if (value instanceof Types.ObjectId) return value.toHexString();
  return typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value) ? value.toLowerCase() : null;
}

function words(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function instant(value: unknown): string | null {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : null;
}

/** Double, Int32, Long or Decimal128 as a number. */
function amount(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'object' && value !== null && '_bsontype' in value) {
    const number = Number((value as { toString: () => string }).toString());
    return Number.isFinite(number) ? number : null;
  }
  return null;
}
