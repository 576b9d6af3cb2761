import { StartFailure } from './start-failure.mjs';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Sees that a MongoDB answers at MONGODB_URI and lets us in.
 * @param {string} uri
 * @throws {StartFailure}
 */
export async function checkMongo(uri) {
  // Not before the packages are installed.
  const { default: mongoose } = await import('mongoose');
  const client = newClient(mongoose.mongo.MongoClient, uri);
  try {
    await client.connect();
    await client.db().command({ ping: 1 });
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new StartFailure(
      `No MongoDB answers at MONGODB_URI (${message}). Correct it, or leave it out to have one started here.`,
    );
  } finally {
    await client.close();
  }
}

/** @param {typeof import('mongoose').mongo.MongoClient} MongoClient @param {string} uri */
function newClient(MongoClient, uri) {
  try {
    return new MongoClient(uri, {
      serverSelectionTimeoutMS: ANSWER_WITHIN_MS,
      connectTimeoutMS: ANSWER_WITHIN_MS,
    });
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new StartFailure(
      `MONGODB_URI is malformed (${message}). It must look like mongodb://user:password@host:27017/database.`,
    );
  }
}
