import type { mongo, Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import { isMongoError, isUnavailable } from '../process/unavailable.ts';
import { READ_LIMIT_MS } from './connect.ts';
import type { ObjectIdClass } from './stored-values.ts';

/** A mongoose connection. It has a database from its first connect on. */
interface DatabaseConnection {
  db?: mongo.Db | undefined;
  /** Its mongoose, whose driver knows the classes that its server connection accepts. */
  base: { mongo: Pick<typeof mongo, 'Long' | 'MongoNotConnectedError'> };
}

/** A find or an aggregation in MongoDB's form, without its collection. */
export type Read =
  { filter: mongo.Document; projection: mongo.Document } | { pipeline: readonly mongo.Document[] };

/** Repairs strings that are not UTF-8: one of them would fail the read of all documents. */
const READ_OPTIONS = { enableUtf8Validation: false };

/** All documents come in the first reply; by default it has at most 101. */
const MAX_DOCUMENTS = 100_000;

/**
 * Reads few documents from the primary by a command, within {@link READ_LIMIT_MS}. The driver's cursor would cost as much as
 * the rest of the read, since the driver tracks it until it ends. As with a cursor, a read is repeated once if the server is
 * unavailable.
 * @throws what the driver throws
 */
export async function readCommand(
  connection: DatabaseConnection,
  collection: string,
  read: Read,
): Promise<mongo.Document[]> {
  const command =
    'pipeline' in read
      ? { aggregate: collection, ...read, cursor: { batchSize: MAX_DOCUMENTS }, maxTimeMS: READ_LIMIT_MS }
      : { find: collection, ...read, batchSize: MAX_DOCUMENTS, maxTimeMS: READ_LIMIT_MS };
  try {
    return await run(connection, collection, command);
  } catch (error) {
    // The selection of a server has waited for one already.
    if (!isUnavailable(error) || isMongoError(error, 'MongoServerSelectionError')) throw error;
    return run(connection, collection, command);
  }
}

async function run(
  connection: DatabaseConnection,
  collection: string,
  command: mongo.Document,
): Promise<mongo.Document[]> {
  const db = databaseOf(connection);
  const { cursor } = (await db.command(command, READ_OPTIONS)) as {
    cursor: { id: number | mongo.Long; firstBatch: mongo.Document[] };
  };
  if (Number(cursor.id) === 0) return cursor.firstBatch;
  // A reply has at most 16 MB. A larger result is read again from its start with the driver's cursor.
  const cursors = [connection.base.mongo.Long.fromValue(cursor.id)];
  await db.command({ killCursors: collection, cursors }).catch(() => undefined);
  return db.runCursorCommand(command, READ_OPTIONS).toArray() as Promise<mongo.Document[]>;
}

/** @throws MongoNotConnectedError before the first connect */
export function databaseOf({ db, base }: DatabaseConnection): mongo.Db {
  if (!db) throw new base.mongo.MongoNotConnectedError('there has been no connection yet');
  return db;
}

/** Matches the documents with these ids. */
export function byIds(ObjectId: ObjectIdClass, ids: ReadonlySet<Id>): { _id: { $in: Types.ObjectId[] } } {
  return { _id: { $in: [...ids].map((hex) => new ObjectId(hex)) } };
}
