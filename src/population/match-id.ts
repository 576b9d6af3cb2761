import { Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';

/**
 * A condition on a field that holds a document's id: as an ObjectId, or as its hex string in lower or in upper case.
 * These are the forms that `id` of to-snapshot.ts reads, so a query finds what the loader accepts.
 */
export function matchId(hex: Id): { $in: (Types.ObjectId | string)[] } {
  return { $in: [new Types.ObjectId(hex), hex.toLowerCase(), hex.toUpperCase()] };
}
