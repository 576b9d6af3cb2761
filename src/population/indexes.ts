import { within } from '../process/lifecycle.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';

type IndexKey = Record<string, 1>;

/** For the list route: a company's appointments by start. For the sweep: all appointments in the order of their writes. */
function indexKeys({ companyField, times }: AppointmentModel): IndexKey[] {
  return [
    { [companyField]: 1, [times.start]: 1 },
    { [times.updatedAt]: 1, _id: 1 },
  ];
}

/**
 * Creates the indexes of the list route and the sweep that are missing. An index on the same key is not changed, whatever its
 * name and options are.
 * @returns a warning for each index that exists but cannot be used
 */
export async function createIndexes(models: Models): Promise<string[]> {
  const { missing, unusable } = await compareIndexes(models);
  if (missing.length > 0) await models.appointments().createIndexes(missing.map((key) => ({ key })));
  return unusable;
}

/** Advice of the stand-alone processes. */
export const RUN_DB_INDEXES = (): string => 'run npm run db:indexes';

/** Advice for an application that embeds the pipeline: it has a connection, but not our commands. */
export const createByCall = (collection: string, key: object): string =>
  `call connection.collection('${collection}').createIndex(${JSON.stringify(key)}), or add the index to the schema`;

/**
 * A warning for each index that is missing or cannot be used; none if MongoDB cannot be read.
 * @param advise  says how to create a missing index
 */
export async function warnOfIndexes(
  models: Models,
  advise: (collection: string, key: object) => string,
): Promise<string[]> {
  try {
    const { missing, unusable } = await within(READ_LIMIT_MS, 'the list of indexes', compareIndexes(models));
    const { collection } = models.model;
    const warnings = missing.map(
      (key) => `${collection} has no index on ${JSON.stringify(key)}: ${advise(collection, key)}`,
    );
    return [...warnings, ...unusable];
  } catch {
    return [];
  }
}

/** With one of these options an index does not serve the queries. */
const RESTRICTIONS = ['partialFilterExpression', 'collation', 'hidden'] as const;
const NAMESPACE_NOT_FOUND = 26;

/**
 * Compares the indexes of the collection with those that the queries need.
 * @returns the keys of the missing ones, and a warning for each that exists but cannot be used
 * @throws what the driver throws
 */
export async function compareIndexes({
  appointments,
  model,
}: Models): Promise<{ missing: IndexKey[]; unusable: string[] }> {
  const present = await appointments()
    .indexes()
    .catch((error: unknown) => {
      // The collection does not exist yet.
      if ((error as { code?: unknown }).code === NAMESPACE_NOT_FOUND) return [];
      throw error;
    });
  const missing: IndexKey[] = [];
  const unusable: string[] = [];
  for (const key of indexKeys(model)) {
    const text = JSON.stringify(key);
    const same = present.filter((index) => JSON.stringify(index.key) === text);
    const [first] = same;
    if (!first) missing.push(key);
    else if (same.every((index) => RESTRICTIONS.some((option) => index[option]))) {
      const options = RESTRICTIONS.filter((option) => first[option]).join(', ');
      unusable.push(
        `${model.collection} has an index on ${text} that queries cannot use, because of ${options}: create one without`,
      );
    }
  }
  return { missing, unusable };
}
