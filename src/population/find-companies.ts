import type { Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import { byIds, readCommand } from './read-command.ts';
import type { Models } from './models.ts';
import { id } from './to-snapshot.ts';

/** The company of each appointment, `undefined` where there is no such appointment. In the order of the ids. */
export type FindCompanies = (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;

/** Up to so many ids a find is quicker, by a third for one: whoever books alone waits for it. */
const FEW = 20;
const BY_COMPANY = { $group: { _id: '$companyId', appointmentIds: { $push: '$_id' } } };

interface OfCompany {
  _id: unknown;
  appointmentIds: Types.ObjectId[];
}

/**
 * The existence check: one indexed read. Many ids are answered with one document a company rather than one an appointment,
 * which takes the driver half the time. @throws what the driver throws.
 */
export function createFindCompanies({ Appointment }: Models): FindCompanies {
  const few = async (ids: ReadonlySet<Id>): Promise<OfCompany[]> => {
    const found = await readCommand(Appointment, { filter: byIds(ids), projection: { companyId: 1 } });
    return found.map(({ _id, companyId }) => ({
      _id: companyId as unknown,
      appointmentIds: [_id as Types.ObjectId],
    }));
  };
  const many = (ids: ReadonlySet<Id>): Promise<OfCompany[]> =>
    readCommand(Appointment, { pipeline: [{ $match: byIds(ids) }, BY_COMPANY] }) as Promise<OfCompany[]>;

  return async (appointmentIds) => {
    const ids = new Set(appointmentIds);
    const companies = new Map<Id, Id>();
    for (const company of await (ids.size > FEW ? many : few)(ids)) {
      const companyId = id(company._id);
      if (companyId === null) continue;
      for (const appointmentId of company.appointmentIds)
        companies.set(appointmentId.toHexString(), companyId);
    }
    return appointmentIds.map((appointmentId) => companies.get(appointmentId.toLowerCase()));
  };
}
