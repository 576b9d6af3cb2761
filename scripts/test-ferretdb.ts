import { makeTestRunDir, removeTestRunDir } from './process/run-dir.ts';
import type { Main } from './run.mjs';
import { findFerretDb, startFerretDb } from './services/ferretdb.ts';
import { main as runTests } from './test.ts';

/** Tests of the path from a write to the list and the dashboards. */
const TESTS = [
  'test/flow',
  'test/population/(load-appointments|find-in-range|malformed-text|never-resolves)',
  'test/http/(list|emissions|deletions)',
  'test/sweep/sweep',
  'test/embedded/embedded',
];
/**
 * Parts of names of tests that write values which FerretDB 1.24 cannot store, count the reads of the aggregation, or are too slow
 * on it.
 */
const LEFT_OUT = [
  'Decimal128',
  'not a number',
  'an object in place of text',
  'number of reads',
  'detected once',
  'many missed writes',
];

/**
 * `npm run test:ferretdb`: runs these tests on FerretDB, a server without `$unionWith`, transactions and change streams.
 * Arguments are jest's, and replace the list of tests.
 */
export const main: Main = async ({ signal, args }) => {
  const found = await findFerretDb({ log: console.log });
  if ('reason' in found) {
    console.log(`not run: the tests need FerretDB, and ${found.reason}`);
    return 0;
  }
  signal.throwIfAborted();
  const dir = makeTestRunDir();
  const server = await startFerretDb(found.file, { dir });
  process.env.MONGODB_URI = server.url;
  try {
    return await runTests({
      signal,
      args: args.length > 0 ? args : [...TESTS, '-t', `^(?!.*(?:${LEFT_OUT.join('|')}))`],
    });
  } finally {
    await server.stop();
    await removeTestRunDir(dir);
  }
};
