import { Types } from 'mongoose';
import type { Id } from '../contracts/appointment.ts';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';
import { id } from './to-snapshot.ts';

/** The company of each appointment, `undefined` where there is no such appointment. In the order of the ids. */
export type FindCompanies = (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;

/** Read in one answer, also where each appointment is of another company. */
const LARGEST_ANSWER = 10_000;

/**
 * The existence check: one indexed read. It answers with one document a company rather than one an appointment, which
 * takes the driver half the time. @throws what the driver throws.
 */
export function createFindCompanies({ Appointment }: Models): FindCompanies {
  return async (appointmentIds) => {
    const wanted = [...new Set(appointmentIds)].map((hex) => new Types.ObjectId(hex));
    const found = await Appointment.collection
      .aggregate<{ _id: unknown; appointmentIds: Types.ObjectId[] }>(
        [
          { $match: { _id: { $in: wanted } } },
          { $group: { _id: '$companyId', appointmentIds: { $push: '$_id' } } },
        ],
        { maxTimeMS: READ_LIMIT_MS, batchSize: LARGEST_ANSWER },
      )
      .toArray();
    const companies = new Map<Id, Id>();
    for (const company of found) {
      const companyId = id(company._id);
      if (companyId === null) continue;
      for (const appointmentId of company.appointmentIds)
        companies.set(appointmentId.toHexString(), companyId);
    }
    return appointmentIds.map((appointmentId) => companies.get(appointmentId.toLowerCase()));
  };
}
