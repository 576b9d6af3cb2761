import type { Types } from 'mongoose';
import type { Id } from '../contracts/appointment.ts';
import { among, IN_ONE_ANSWER } from './in-one-answer.ts';
import type { Models } from './models.ts';
import { id } from './to-snapshot.ts';

/** The company of each appointment, `undefined` where there is no such appointment. In the order of the ids. */
export type FindCompanies = (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;

/**
 * The existence check: one indexed read. It answers with one document a company rather than one an appointment, which
 * takes the driver half the time. @throws what the driver throws.
 */
export function createFindCompanies({ Appointment }: Models): FindCompanies {
  return async (appointmentIds) => {
    const found = await Appointment.collection
      .aggregate<{ _id: unknown; appointmentIds: Types.ObjectId[] }>(
        [
          { $match: among(new Set(appointmentIds)) },
          { $group: { _id: '$companyId', appointmentIds: { $push: '$_id' } } },
        ],
        IN_ONE_ANSWER,
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
