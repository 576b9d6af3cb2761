import type { Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';

/** A document as the driver returns it. Its fields can have any type. */
export type RawDocument = Readonly<Record<string, unknown>>;

/**
 * The class that makes ids. It comes from the mongoose of the connection (`connection.base.Types.ObjectId`): mongoose 8 and 9
 * have different versions of bson, and each driver refuses the ids of the other version.
 */
export type ObjectIdClass = typeof Types.ObjectId;

/** An ObjectId of any version of bson. `instanceof` is true for one version only. */
export function isObjectId(value: unknown): value is Types.ObjectId {
  return bsonTypeOf(value) === 'ObjectId';
}

/** The classes of bson inherit their type. A stored document may have a field of this name. */
function bsonTypeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, '_bsontype')) return undefined;
  return '_bsontype' in value ? value._bsontype : undefined;
}

const HEX_IN_ONE_CASE = /^(?:[0-9a-f]{24}|[0-9A-F]{24})$/;

/** The hex form of an ObjectId, or of 24 hex characters in one case, else `null`. Queries use {@link matchId}. */
export function id(value: unknown): Id | null {
  if (isObjectId(value)) return value.toHexString();
  return typeof value === 'string' && HEX_IN_ONE_CASE.test(value) ? value.toLowerCase() : null;
}

/** Matches the forms of an id that {@link id} reads: an ObjectId, or its hex string in lower or in upper case. */
export function matchId(ObjectId: ObjectIdClass, hex: Id): { $in: (Types.ObjectId | string)[] } {
  return { $in: [new ObjectId(hex), hex.toLowerCase(), hex.toUpperCase()] };
}

export function words(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function truth(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** The first and the last instant that ISO 8601 writes with a year of four digits. */
const MIN_INSTANT_MS = Date.parse('0000-01-01T00:00:00.000Z');
export const MAX_INSTANT_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** `null` unless it is a date of the years 0 to 9999. MongoDB can store dates that neither Date nor ISO 8601 can express. */
export function date(value: unknown): Date | null {
  if (!(value instanceof Date)) return null;
  const ms = value.getTime();
  return ms >= MIN_INSTANT_MS && ms <= MAX_INSTANT_MS ? value : null;
}

export function instant(value: unknown): string | null {
  return date(value)?.toISOString() ?? null;
}

/** Milliseconds since 1970 of any date that JavaScript can express, else `null`. */
export function milliseconds(value: unknown): number | null {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() : null;
}

/** In the driver a Timestamp is a Long too, but in MongoDB it is not a number. */
const BSON_NUMBERS: ReadonlySet<unknown> = new Set(['Decimal128', 'Long', 'Int32', 'Double']);

/** Double, Int32, Long or Decimal128 as a number. */
export function amount(value: unknown): number | null {
  const number = BSON_NUMBERS.has(bsonTypeOf(value)) ? Number(String(value)) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
