import { createConnection } from 'mongoose';
import { errorMessage } from '../errors.ts';
import { readMongoUri } from '../settings/mongo-uri.ts';
import { loadModel } from '../model/load-model.ts';
import { createIndexes } from '../population/indexes.ts';
import { createModels } from '../population/models.ts';
import { trimSettings } from '../settings/values.ts';
import { exitWhenWritten } from './exit-when-written.ts';

const { MONGODB_URI = '', EMISSIONS_MODEL } = trimSettings({
  MONGODB_URI: process.env['MONGODB_URI'],
  EMISSIONS_MODEL: process.env['EMISSIONS_MODEL'],
});
let uri: string;
try {
  uri = readMongoUri(MONGODB_URI);
} catch (error) {
  const words =
    MONGODB_URI === '' ? 'is required: it names the database that gets the indexes' : errorMessage(error);
  process.stderr.write(`MONGODB_URI ${words}\n`);
  process.exit(1);
}
const connection = createConnection();
let exitCode = 0;
try {
  const model = await loadModel(EMISSIONS_MODEL);
  await connection.openUri(uri, { serverSelectionTimeoutMS: 5_000 });
  const unusable = await createIndexes(createModels(connection, model));
  if (unusable.length > 0) throw new Error(unusable.join('; '));
  process.stdout.write(`${model.collection} has the indexes that the list route and the sweep need.\n`);
} catch (error) {
  process.stderr.write(`the indexes are not complete: ${errorMessage(error)}\n`);
  exitCode = 1;
} finally {
  await connection.close();
}
await exitWhenWritten(exitCode);
