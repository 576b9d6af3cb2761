import mongoose, { type Model } from 'mongoose';
import { createModels } from '../src/population/models.ts';
import { appointmentsAround, masterData } from './demo-data.ts';
import { DEMO_COMPANY } from './demo-company.ts';
import { wallTime } from '@appointment-emissions/contracts';

const CONNECT_WITHIN_MS = 5_000;

export interface Seeded {
  companyId: string;
  /** One of today's: the next that starts, or the last that did. */
  appointmentId: string;
}

/**
 * Writes the demo company's data and the indexes. What is there already stays as it is; a later day adds its own
 * appointments.
 */
export async function seedDemo(mongodbUri: string, timeZone: string, now: Date): Promise<Seeded> {
  const connection = await mongoose
    .createConnection(mongodbUri, { serverSelectionTimeoutMS: CONNECT_WITHIN_MS })
    .asPromise();
  try {
    const models = createModels(connection);
    const today = wallTime(now, timeZone).date;
    const appointments = appointmentsAround(today, timeZone);
    await models.Appointment.createIndexes();
    for (const [name, documents] of Object.entries({ ...masterData(), Appointment: appointments })) {
      await insertMissing(models[name as keyof typeof models] as unknown as Model<unknown>, documents);
    }
    const ofToday = appointments
      .filter(({ start, status }) => wallTime(start, timeZone).date === today && status === 'scheduled')
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
  // The documents carry their own createdAt and updatedAt.
  if (missing.length > 0) await model.insertMany(missing, { timestamps: false } as object);
}
