import type { Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';
import { byIds, readCommand } from './read-command.ts';
import { untilUnsupported } from './read-documents.ts';
import { id } from './stored-values.ts';

/**
 * The company of each appointment, in the order of the ids; `''` if the appointment exists but its company cannot be read,
 * `undefined` if there is no such appointment.
 */
export type FindCompanies = (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;

/** Up to this number of ids a find is faster than an aggregation, for one id by a third. */
const MAX_IDS_OF_FIND = 20;

interface CompanyGroup {
  company: unknown;
  appointmentIds: Types.ObjectId[];
}

/**
 * The existence check: one indexed read. For many ids the reply has one document for each company instead of one for each
 * appointment, which halves the driver's time.
 * @throws what the driver throws
 */
export function createFindCompanies({ connection, model, ObjectId }: Models): FindCompanies {
  const { collection, companyField } = model;
  const projection = { [companyField]: 1 };
  const group = { _id: `$${companyField}`, appointmentIds: { $push: '$_id' } };

  const byFind = async (ids: ReadonlySet<Id>): Promise<CompanyGroup[]> => {
    const found = await readCommand(connection, collection, { filter: byIds(ObjectId, ids), projection });
    return found.map((document) => ({
      company: document[companyField] as unknown,
      appointmentIds: [document['_id'] as Types.ObjectId],
    }));
  };
  const byGroup = async (ids: ReadonlySet<Id>): Promise<CompanyGroup[]> => {
    const pipeline = [{ $match: byIds(ObjectId, ids) }, { $group: group }];
    const found = await readCommand(connection, collection, { pipeline });
    return found.map((group) => ({
      company: group['_id'] as unknown,
      appointmentIds: group['appointmentIds'] as Types.ObjectId[],
    }));
  };
  const ofMany = untilUnsupported(byGroup, byFind);

  return async (appointmentIds) => {
    const ids = new Set(appointmentIds);
    const companies = new Map<Id, Id>();
    for (const { company, appointmentIds } of await (ids.size > MAX_IDS_OF_FIND ? ofMany : byFind)(ids)) {
      const companyId = id(company) ?? '';
      for (const appointmentId of appointmentIds) companies.set(appointmentId.toHexString(), companyId);
    }
    return appointmentIds.map((appointmentId) => companies.get(appointmentId.toLowerCase()));
  };
}

const NO_APPOINTMENT = '000000000000000000000000';

/** Checks that the primary can be read, with a query for an id that no appointment has. @throws if it cannot be read */
export function createReadProbe({ appointments, ObjectId }: Models): () => Promise<void> {
  const _id = new ObjectId(NO_APPOINTMENT);
  return async () => {
    await appointments().findOne({ _id }, { projection: { _id: 1 }, maxTimeMS: READ_LIMIT_MS });
  };
}
