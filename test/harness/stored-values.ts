import fc from 'fast-check';
import { mongo, Types } from 'mongoose';

const nested = (depth: number): object => (depth === 0 ? [] : { deeper: nested(depth - 1) });

/** One value of each kind that another program may have stored in a field. `undefined`: the field is missing. */
export const STORED_VALUES: readonly (readonly [kind: string, value: unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['text', 'tomorrow'],
  ['empty text', ''],
  ['text of a date', '2031-05-14T09:00:00.000Z'],
  ['text with a NUL character', 'a\u0000b'],
  ['long text', 'x'.repeat(20_000)],
  ['an id', new Types.ObjectId()],
  ['an id as text', 'aabbccddeeff001122334455'],
  ['an id as text in upper case', 'AABBCCDDEEFF001122334455'],
  ['an id as text in mixed case', 'aabbccDDEEFF001122334455'],
  ['zero', 0],
  ['a fraction', -1.5],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['an Int32', new mongo.Int32(7)],
  ['a Long', mongo.Long.MAX_VALUE],
  ['a Decimal128', Types.Decimal128.fromString('1E+6000')],
  ['a BSON timestamp', new mongo.Timestamp({ t: 4, i: 1 })],
  ['a boolean', true],
  ['a date of 1970', new Date(0)],
  ['a date of the year 9999', new Date('9999-12-31T23:59:59.999Z')],
  // MongoDB stores dates outside the years 1 to 9999, the test database does not: READ_ONLY_VALUES contains them.
  ['a date of the year 1', new Date('0001-01-02T00:00:00.000Z')],
  ['bytes', new mongo.Binary(Buffer.from('12'))],
  ['a UUID', new mongo.UUID()],
  ['a regular expression', /canceled/i],
  ['MinKey', new mongo.MinKey()],
  ['MaxKey', new mongo.MaxKey()],
  ['code', new mongo.Code('1')],
  ['an empty array', []],
  ['an array of a date', [new Date('2031-05-14T09:00:00Z')]],
  ['an array of a status', ['canceled']],
  ['an array of numbers', [1, 1e300, -1]],
  ['arrays in an array', [[1], [[2]]]],
  ['an object', { $oid: 'x', constructor: null, toString: 1 }],
  ['an object nested 90 deep', nested(90)],
];

/** Values that a driver may return but the test database cannot store. */
export const READ_ONLY_VALUES: readonly (readonly [kind: string, value: unknown])[] = [
  ['the last date of JavaScript', new Date(8.64e15)],
  ['a date before the year 0', new Date(-8.64e15)],
  ['a date that JavaScript cannot express', new Date(NaN)],
  ['an object that looks like a BSON number', { _bsontype: 'Decimal128', toString: 1 }],
  ['an object that looks like an ObjectId', { _bsontype: 'ObjectId', toHexString: 1 }],
];

/** Values for some of the fields; the other fields keep their valid values. */
export function anyFields(names: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const value = fc.constantFrom(...STORED_VALUES).map(([, stored]) => stored);
  return fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6, noNullPrototype: true });
}
