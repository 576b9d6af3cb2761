import type { Id } from '@appointment-emissions/contracts';
import { READ_LIMIT_MS } from './connect.ts';
import { matchId } from './match-id.ts';
import type { Models } from './models.ts';
import { id } from './to-snapshot.ts';

/** Ids of a company's appointments with `from ≤ start < to` (ms since the epoch), by start, at most `limit`. */
export type FindInRange = (
  range: { companyId: Id; from: number; to: number },
  limit: number,
) => Promise<Id[]>;

/** @throws what the driver throws. */
export function createFindInRange({ Appointment }: Models): FindInRange {
  return async ({ companyId, from, to }, limit) => {
    const documents = await Appointment.collection
      .find(
        { companyId: matchId(companyId), start: { $gte: new Date(from), $lt: new Date(to) } },
        { projection: { _id: 1 }, sort: { start: 1 }, limit, maxTimeMS: READ_LIMIT_MS },
      )
      .toArray();
    return documents.flatMap((document) => id(document._id) ?? []);
  };
}
