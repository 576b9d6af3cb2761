import type { CompaniesReply } from '@appointment-emissions/contracts';
import type { Models } from './models.ts';
import { id } from './stored-values.ts';

/** Companies in one reply. */
const PAGE = 20;
const MAX_QUERY_MS = 3_000;

/** Companies with appointments whose id begins with these hexadecimal characters, in the order of their ids. */
export type ListCompanies = (prefix: string) => Promise<Omit<CompaniesReply, 'success'>>;

/**
 * Reads the companies from the index of the list route, one step for each company: the number of appointments does not matter.
 * @throws what the driver throws
 */
export function createListCompanies({ appointments, model, ObjectId }: Models): ListCompanies {
  const { companyField } = model;
  const distinct = (from: unknown, to: unknown): Promise<unknown[]> =>
    appointments().distinct(
      companyField,
      { [companyField]: { $gte: from, $lte: to } },
      { maxTimeMS: MAX_QUERY_MS },
    );

  return async (prefix) => {
    const [lower, upper] = [prefix.toLowerCase(), prefix.toUpperCase()];
    // An id can be stored as an ObjectId or as text. A query compares values of one type only.
    const values = await Promise.all([
      distinct(new ObjectId(lower.padEnd(24, '0')), new ObjectId(lower.padEnd(24, 'f'))),
      distinct(lower, lower.padEnd(24, 'f')),
      ...(upper === lower ? [] : [distinct(upper, upper.padEnd(24, 'F'))]),
    ]);
    const ids = values.flat().flatMap((value) => id(value) ?? []);
    const companies = [...new Set(ids)].filter((companyId) => companyId.startsWith(lower)).sort();
    return { companies: companies.slice(0, PAGE), hasMore: companies.length > PAGE };
  };
}
