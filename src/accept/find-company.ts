import type { Id } from '@appointment-emissions/contracts';
import { chunks, coalesce } from '../batching.ts';
import { AppError } from '../errors.ts';
import { within } from '../process/lifecycle.ts';

const CHECK_TIMEOUT_MS = 820;
const MAX_IDS_PER_CHECK = 1_000;
const MAX_SLICES_PER_CHECK = 5;
const SLICE_SIZE = 100;

/** The company of an appointment; `''` if it cannot be read, `undefined` if the appointment does not exist. */
export interface FindCompany {
  /** @throws AppError DATABASE_ERROR within 1 s */
  one: (appointmentId: Id) => Promise<Id | undefined>;
  /** @throws as `one` */
  many: (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;
}

/** Makes concurrent existence checks share their queries. */
export function createFindCompany(
  findCompanies: (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>,
): FindCompany {
  // Each query has the timeout, so that it frees its slot. Each request has it too, since it may wait for a slot.
  const inTime = <T>(check: Promise<T>): Promise<T> => within(CHECK_TIMEOUT_MS, 'the existence check', check);

  const findOne = coalesce<Id, Id | undefined>({
    run: (ids) => inTime(findCompanies(ids)),
    maxBatch: MAX_IDS_PER_CHECK,
    maxInFlight: 4,
    firstAtOnce: true,
  });

  // One at a time: waking MongoDB for a second query costs as much as the ids of the next slices.
  const findSlice = coalesce<readonly Id[], (Id | undefined)[]>({
    async run(slices) {
      const companies = await inTime(findCompanies(slices.flat()));
      let next = 0;
      return slices.map(({ length }) => companies.slice(next, (next += length)));
    },
    maxBatch: MAX_SLICES_PER_CHECK,
  });

  async function checked<T>(check: Promise<T>): Promise<T> {
    try {
      return await inTime(check);
    } catch (cause) {
      throw new AppError('DATABASE_ERROR', 'the database does not answer; nothing was enqueued', { cause });
    }
  }

  return {
    one: (appointmentId) => checked(findOne(appointmentId)),
    many: async (appointmentIds) =>
      (await checked(Promise.all([...chunks(appointmentIds, SLICE_SIZE)].map(findSlice)))).flat(),
  };
}
