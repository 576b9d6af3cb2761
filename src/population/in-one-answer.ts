import { Types } from 'mongoose';
import type { Id } from '../contracts/appointment.ts';
import { READ_LIMIT_MS } from './connect.ts';

/** Of a find or an aggregation: all in one answer, in time; the usual first one has 101 documents. */
export const IN_ONE_ANSWER = { maxTimeMS: READ_LIMIT_MS, batchSize: 100_000 };

/** The documents of these ids. */
export function among(ids: ReadonlySet<Id>): { _id: { $in: Types.ObjectId[] } } {
  return { _id: { $in: [...ids].map((hex) => new Types.ObjectId(hex)) } };
}
