import type { AppointmentModel } from '../model/appointment-model.ts';
import { within } from '../process/lifecycle.ts';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';

/** The list route reads a company's appointments of a range; the sweep walks by the time of the last write. */
function indexKeys({ companyField, times }: AppointmentModel): Record<string, 1>[] {
  return [
    { [companyField]: 1, [times.start]: 1 },
    { [times.updatedAt]: 1, _id: 1 },
  ];
}

/** Creates the indexes of the list route and the sweep. Existing ones are not changed. */
export async function createIndexes({ appointments, model }: Models): Promise<void> {
  await appointments().createIndexes(indexKeys(model).map((key) => ({ key })));
}

/** A warning for each index that is missing; none if MongoDB cannot be read. */
export async function warnOfIndexes({ appointments, model }: Models): Promise<string[]> {
  let present;
  try {
    present = await within(READ_LIMIT_MS, 'the list of indexes', appointments().indexes());
  } catch {
    return [];
  }
  const keys = new Set(present.map(({ key }) => JSON.stringify(key)));
  return indexKeys(model)
    .map((key) => JSON.stringify(key))
    .filter((key) => !keys.has(key))
    .map((key) => `${model.collection} has no index on ${key}: run npm run db:indexes`);
}
