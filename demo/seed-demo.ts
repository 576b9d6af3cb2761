import mongoose, { type Model } from 'mongoose';
import { DEFAULT_MODEL } from '../src/model/default-model.ts';
import { createIndexes } from '../src/population/indexes.ts';
import { createModels } from '../src/population/models.ts';
import { createMongooseModels, FREED_STATUSES } from './models.ts';
import { appointmentsAround, masterData } from './demo-data.ts';
import { DEMO_COMPANY } from './catalogue.ts';
import { wallTime } from '@appointment-emissions/contracts';

const CONNECT_TIMEOUT_MS = 5_000;

export interface SeedResult {
  companyId: string;
  /** An appointment of today: the next one, or the last one if none is left. */
  appointmentId: string;
}

/**
 * Writes the data of the demo company, and the indexes. Existing documents are not changed. On a later day it adds the appointments
 * of the new week.
 */
export async function seedDemo(mongodbUri: string, timeZone: string, now: Date): Promise<SeedResult> {
  const connection = await mongoose
    .createConnection(mongodbUri, { serverSelectionTimeoutMS: CONNECT_TIMEOUT_MS })
    .asPromise();
  try {
    const models = createMongooseModels(connection);
    const today = wallTime(now, timeZone).date;
    const appointments = appointmentsAround(now, timeZone);
    await createIndexes(createModels(connection, DEFAULT_MODEL));
    for (const [name, documents] of Object.entries({ ...masterData(), Appointment: appointments })) {
      await insertMissing(models[name as keyof typeof models] as unknown as Model<unknown>, documents);
    }
    const ofToday = appointments
      .filter(
        ({ start, status }) => wallTime(start, timeZone).date === today && !FREED_STATUSES.includes(status),
      )
      .sort((a, b) => a.start.getTime() - b.start.getTime());
    const next = ofToday.find(({ start }) => start > now) ?? ofToday.at(-1);
    return { companyId: DEMO_COMPANY.id, appointmentId: next?._id ?? '' };
  } finally {
    await connection.close();
  }
}

async function insertMissing(model: Model<unknown>, documents: readonly { _id: string }[]): Promise<void> {
  const present = await model
    .find({ _id: { $in: documents.map(({ _id }) => _id) } }, '_id')
    .lean<{ _id: unknown }[]>();
  const ids = new Set(present.map(({ _id }) => String(_id)));
  const missing = documents.filter(({ _id }) => !ids.has(_id));
  // The documents contain createdAt and updatedAt already.
  if (missing.length > 0) await model.insertMany(missing, { timestamps: false } as object);
}
