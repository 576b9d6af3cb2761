import { Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import type { Models } from './models.ts';
import { id, type RawDocument } from './to-snapshot.ts';

/** What the sweep needs to know of an appointment; times in ms since the epoch. */
export interface UpdatedRow {
  appointmentId: Id;
  companyId: Id;
  updatedAt: number;
  createdAt: number | null;
  status: string | null;
}

/** A place in the order of `(updatedAt, _id)`. */
export interface Cursor {
  updatedAt: number;
  /** `''` stands before every appointment of that time. */
  appointmentId: Id;
}

/** Rows after `after` whose `updatedAt` is at most `until`, in order, at most `limit`. Uses the index on both fields. */
export type FindUpdated = (after: Cursor, until: number, limit: number) => Promise<UpdatedRow[]>;

export const UPDATED_ROW_FIELDS = { companyId: 1, updatedAt: 1, createdAt: 1, status: 1 } as const;
const LONGEST_QUERY_MS = 5_000;

/** @throws what the driver throws. */
export function createFindUpdated({ Appointment }: Models): FindUpdated {
  return async (after, until, limit) => {
    const from = new Date(after.updatedAt);
    const filter =
      after.appointmentId === ''
        ? { updatedAt: { $gte: from, $lte: new Date(until) } }
        : {
            $or: [
              { updatedAt: from, _id: { $gt: new Types.ObjectId(after.appointmentId) } },
              { updatedAt: { $gt: from, $lte: new Date(until) } },
            ],
          };
    const documents = await Appointment.collection
      .find(filter, {
        projection: UPDATED_ROW_FIELDS,
        sort: { updatedAt: 1, _id: 1 },
        limit,
        maxTimeMS: LONGEST_QUERY_MS,
      })
      .toArray();
    return documents.flatMap((document) => toUpdatedRow(document) ?? []);
  };
}

/** `undefined` where a field that is needed is missing or of the wrong type. */
export function toUpdatedRow(document: RawDocument): UpdatedRow | undefined {
  const [appointmentId, companyId] = [id(document._id), id(document.companyId)];
  const updatedAt = ms(document.updatedAt);
  if (appointmentId === null || companyId === null || updatedAt === null) return undefined;
  const status = typeof document.status === 'string' ? document.status : null;
  return { appointmentId, companyId, updatedAt, createdAt: ms(document.createdAt), status };
}

function ms(value: unknown): number | null {
  return value instanceof Date ? value.getTime() : null;
}
