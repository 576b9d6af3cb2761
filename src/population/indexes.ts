import { within } from '../process/lifecycle.ts';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';

/** Makes the indexes that the list route and the sweep ask for; those that exist are left alone. */
export async function createIndexes({ Appointment }: Models): Promise<void> {
  await Appointment.createIndexes();
}

/** Words for the operator about each index that is missing; none where the database can't be asked. */
export async function warnOfIndexes({ Appointment }: Models): Promise<string[]> {
  let present;
  try {
    present = await within(READ_LIMIT_MS, 'the list of indexes', Appointment.collection.indexes());
  } catch {
    return [];
  }
  const keys = new Set(present.map(({ key }) => JSON.stringify(key)));
  return Appointment.schema
    .indexes()
    .map(([key]) => JSON.stringify(key))
    .filter((key) => !keys.has(key))
    .map((key) => `appointments has no index on ${key}: run npm run db:indexes`);
}
