import { Types } from 'mongoose';
import type { Id } from '../contracts/appointment.ts';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';
import { id } from './to-snapshot.ts';

/** The company of each appointment, `undefined` where there is no such appointment. In the order of the ids. */
export type FindCompanies = (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;

/** The existence check: one indexed read of two ids per document. @throws what the driver throws. */
export function createFindCompanies({ Appointment }: Models): FindCompanies {
  return async (appointmentIds) => {
    const wanted = [...new Set(appointmentIds)].map((hex) => new Types.ObjectId(hex));
    const documents = await Appointment.collection
      .find({ _id: { $in: wanted } }, { projection: { companyId: 1 }, maxTimeMS: READ_LIMIT_MS })
      .toArray();
    const companies = new Map(documents.map((document) => [id(document._id), id(document['companyId'])]));
    return appointmentIds.map((appointmentId) => companies.get(appointmentId.toLowerCase()) ?? undefined);
  };
}
