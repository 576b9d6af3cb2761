import { mongo, Types } from 'mongoose';
import type { Id } from '@appointment-emissions/contracts';
import { isUnavailable } from '../process/unavailable.ts';
import { READ_LIMIT_MS } from './connect.ts';

const { MongoNotConnectedError, MongoServerSelectionError } = mongo;

/** What is asked of a model: the name of its collection, and its database once there has been a connection. */
interface Source {
  collection: { collectionName: string };
  db: { db?: mongo.Db | undefined };
}

/** A find or an aggregation as MongoDB takes it, without its collection. */
export type Read =
  { filter: mongo.Document; projection: mongo.Document } | { pipeline: readonly mongo.Document[] };

/** One malformed string of one document would fail the read of all: the string is repaired instead. */
const READ_OPTIONS = { enableUtf8Validation: false };

/** The usual first answer has 101 documents. */
const MOST_DOCUMENTS = 100_000;

/**
 * Reads few documents from the primary, in time, by a bare command. For these the driver's cursor costs as much as all the rest: it keeps
 * a list of those that are open, and looks after them until they end. As with a cursor, a read that finds its server away is
 * tried once more. @throws what the driver throws
 */
export async function readCommand(of: Source, read: Read): Promise<mongo.Document[]> {
  const collection = of.collection.collectionName;
  const command =
    'pipeline' in read
      ? { aggregate: collection, ...read, cursor: { batchSize: MOST_DOCUMENTS }, maxTimeMS: READ_LIMIT_MS }
      : { find: collection, ...read, batchSize: MOST_DOCUMENTS, maxTimeMS: READ_LIMIT_MS };
  try {
    return await run(of, command);
  } catch (error) {
    // Who looked for a server has waited for it already.
    if (!isUnavailable(error) || error instanceof MongoServerSelectionError) throw error;
    return run(of, command);
  }
}

async function run({ db: { db }, collection }: Source, command: mongo.Document): Promise<mongo.Document[]> {
  if (!db) throw new MongoNotConnectedError('there has been no connection yet');
  const { cursor } = (await db.command(command, READ_OPTIONS)) as {
    cursor: { id: number | mongo.Long; firstBatch: mongo.Document[] };
  };
  if (Number(cursor.id) === 0) return cursor.firstBatch;
  // An answer has 16 MB at most: what is larger is what cursors are for, the driver's, which begins anew.
  const [killCursors, cursors] = [collection.collectionName, [mongo.Long.fromValue(cursor.id)]];
  await db.command({ killCursors, cursors }).catch(() => undefined);
  return db.runCursorCommand(command, READ_OPTIONS).toArray() as Promise<mongo.Document[]>;
}

/** The documents of these ids. */
export function byIds(ids: ReadonlySet<Id>): { _id: { $in: Types.ObjectId[] } } {
  return { _id: { $in: [...ids].map((hex) => new Types.ObjectId(hex)) } };
}
