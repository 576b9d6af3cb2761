import { mongo, Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';

/** A document as the driver returns it. Its fields can have any type. */
export type RawDocument = Readonly<Record<string, unknown>>;

const HEX_IN_ONE_CASE = /^(?:[0-9a-f]{24}|[0-9A-F]{24})$/;

/** The hex form of an ObjectId, or of 24 hex characters in one case, else `null`. Queries use {@link matchId}. */
export function id(value: unknown): Id | null {
  if (value instanceof Types.ObjectId) return value.toHexString();
  return typeof value === 'string' && HEX_IN_ONE_CASE.test(value) ? value.toLowerCase() : null;
}

/** Matches the forms of an id that {@link id} reads: an ObjectId, or its hex string in lower or in upper case. */
export function matchId(hex: Id): { $in: (Types.ObjectId | string)[] } {
  return { $in: [new Types.ObjectId(hex), hex.toLowerCase(), hex.toUpperCase()] };
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

const { Decimal128, Long, Int32, Double } = mongo;

/** Double, Int32, Long or Decimal128 as a number. */
export function amount(value: unknown): number | null {
  const isBsonNumber =
    value instanceof Decimal128 ||
    // In the driver a Timestamp is a Long; in MongoDB it is not a number.
    (value instanceof Long && !(value instanceof mongo.Timestamp)) ||
    value instanceof Int32 ||
    value instanceof Double;
  const number = isBsonNumber ? Number(value.toString()) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
