import { mongo, Types } from 'mongoose';
import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';

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

const HEX_IN_ONE_CASE = /^(?:[0-9a-f]{24}|[0-9A-F]{24})$/;

/** The hex form of an ObjectId, or of 24 hex characters in one case, else `null`. Queries use `matchId`. */
export function id(value: unknown): Id | null {
  if (value instanceof Types.ObjectId) return value.toHexString();
  return typeof value === 'string' && HEX_IN_ONE_CASE.test(value) ? value.toLowerCase() : null;
}

export function words(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** The first and the last instant that ISO 8601 writes with a year of four digits. */
const MIN_INSTANT_MS = Date.parse('0000-01-01T00:00:00.000Z');
export const MAX_INSTANT_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** `null` unless it is a date of the years 0 to 9999: MongoDB stores dates that neither Date nor ISO 8601 can express. */
export function date(value: unknown): Date | null {
  if (!(value instanceof Date)) return null;
  const ms = value.getTime();
  return ms >= MIN_INSTANT_MS && ms <= MAX_INSTANT_MS ? value : null;
}

function instant(value: unknown): string | null {
  return date(value)?.toISOString() ?? null;
}

const { Decimal128, Long, Int32, Double } = mongo;

/** Double, Int32, Long or Decimal128 as a number. */
export function amount(value: unknown): number | null {
  const isBsonNumber =
    value instanceof Decimal128 ||
    // A Timestamp is a Long in the driver, and not a number in MongoDB.
    (value instanceof Long && !(value instanceof mongo.Timestamp)) ||
    value instanceof Int32 ||
    value instanceof Double;
  const number = isBsonNumber ? Number(value.toString()) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
