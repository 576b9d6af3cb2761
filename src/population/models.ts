import type { Connection, mongo } from 'mongoose';
import { type AppointmentModel, createIsCanceled, createIsDeleted } from '../model/appointment-model.ts';
import { createPackReferences, type PackReferences } from '../model/reference-guesses.ts';
import { databaseOf } from './read-command.ts';
import type { ObjectIdClass, RawDocument } from './stored-values.ts';

/** The application's data: a connection, and the model that describes the collections on it. */
export interface Models {
  connection: Connection;
  model: AppointmentModel;
  /** The driver's collection. Reads go to the primary. @throws MongoNotConnectedError before the first connect */
  collection: (name: string) => mongo.Collection;
  /** The collection of the appointments, in the same way. */
  appointments: () => mongo.Collection;
  ObjectId: ObjectIdClass;
  /** Whether a stored status means canceled. */
  isCanceled: (status: unknown) => boolean;
  /** Whether a document of an appointment is marked as deleted. */
  isDeleted: (document: RawDocument) => boolean;
  packReferences: PackReferences;
}

/** The settings of an application's own connection may be others. */
const READ_OPTIONS: mongo.CollectionOptions = { readPreference: 'primary', enableUtf8Validation: false };

/**
 * The connection may still be closed. It may belong to an existing application, with its own version of mongoose. Collections
 * are those of the driver: mongoose's own would buffer operations for 10 s while there is no connection.
 */
export function createModels(connection: Connection, model: AppointmentModel): Models {
  const collection = (name: string): mongo.Collection =>
    databaseOf(connection).collection(name, READ_OPTIONS);
  return {
    connection,
    model,
    collection,
    appointments: () => collection(model.collection),
    ObjectId: connection.base.Types.ObjectId,
    isCanceled: createIsCanceled(model),
    isDeleted: createIsDeleted(model),
    packReferences: createPackReferences(model),
  };
}
