import type { mongo } from 'mongoose';

const REPLY_WITHIN_MS = 5_000;

/**
 * Checks that a MongoDB answers at MONGODB_URI and accepts the login.
 * @throws with a message for the user
 */
export async function checkMongo(uri: string): Promise<void> {
  // Loading mongoose takes a while; without MONGODB_URI it is not needed.
  const { default: mongoose } = await import('mongoose');
  const client = createClient(mongoose.mongo.MongoClient, uri);
  try {
    await client.connect();
    await client.db().command({ ping: 1 });
  } catch (error) {
    throw new Error(
      `No MongoDB answers at MONGODB_URI (${(error as Error).message}). Correct it, or remove it: then npm start runs its own.`,
    );
  } finally {
    await client.close();
  }
}

function createClient(MongoClient: typeof mongo.MongoClient, uri: string): mongo.MongoClient {
  try {
    return new MongoClient(uri, {
      serverSelectionTimeoutMS: REPLY_WITHIN_MS,
      connectTimeoutMS: REPLY_WITHIN_MS,
    });
  } catch (error) {
    throw new Error(
      `MONGODB_URI is malformed (${(error as Error).message}). It must look like mongodb://user:password@host:27017/database.`,
    );
  }
}
