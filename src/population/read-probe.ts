import { Types } from 'mongoose';
import { READ_LIMIT_MS } from './connect.ts';
import type { Models } from './models.ts';

const NO_APPOINTMENT = new Types.ObjectId('000000000000000000000000');

/** Reads from the primary, as a worker does, an appointment that does not exist. @throws when MongoDB cannot be read */
export function createReadProbe({ Appointment }: Models): () => Promise<void> {
  return async () => {
    await Appointment.collection.findOne(
      { _id: NO_APPOINTMENT },
      { projection: { _id: 1 }, maxTimeMS: READ_LIMIT_MS },
    );
  };
}
