import type { Collection, Connection } from 'mongoose';
import { type AppointmentModel, createIsCanceled } from '../model/appointment-model.ts';
import { createPackReferences, type PackReferences } from '../model/reference-guesses.ts';

/** The application's data: a connection, and the model that describes the collections on it. */
export interface Models {
  connection: Connection;
  model: AppointmentModel;
  appointments: Collection;
  /** Whether a stored status means canceled. */
  isCanceled: (status: unknown) => boolean;
  packReferences: PackReferences;
}

/** The connection may still be closed. */
export function createModels(connection: Connection, model: AppointmentModel): Models {
  return {
    connection,
    model,
    appointments: connection.collection(model.collection),
    isCanceled: createIsCanceled(model),
    packReferences: createPackReferences(model),
  };
}
