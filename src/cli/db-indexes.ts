import { createConnection } from 'mongoose';
import { messageOf } from '../errors.ts';
import { createIndexes } from '../population/indexes.ts';
import { createModels } from '../population/models.ts';

const uri = process.env['MONGODB_URI'];
if (!uri) {
  process.stderr.write('MONGODB_URI is required: whose database gets the indexes?\n');
  process.exit(1);
}
const connection = createConnection();
try {
  await connection.openUri(uri, { serverSelectionTimeoutMS: 5_000 });
  await createIndexes(createModels(connection));
  process.stdout.write('appointments has the indexes that the list route and the sweep need.\n');
} catch (error) {
  process.stderr.write(`the indexes were not made: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  await connection.close();
}
