import { join } from 'node:path';
import { makeTestRunDir, removeDeadTestRuns, removeTestRunDir } from '../../scripts/process/run-dir.ts';
import { startMongo } from '../../scripts/services/mongo.ts';
import { startRedis } from '../../scripts/services/redis.ts';
import { compileProcesses } from './compile-processes.ts';

declare global {
  /** From global-setup.mjs for global-teardown.mjs. */
  var stopSharedServices: (() => Promise<void>) | undefined;
}

/**
 * Starts one Redis and one MongoDB for all test files; each test makes its own world in them (a database, a queue
 * prefix). Sets TEST_REDIS_URL, TEST_MONGODB_URI (without a database: give `dbName`), TEST_RUN_DIR, a folder for
 * whatever the tests start themselves, and TEST_BUILD_DIR, which contains the compiled code for their processes.
 * @returns a function that ends both servers, and everything that the tests have left running
 */
export async function startSharedServices(): Promise<() => Promise<void>> {
  await removeDeadTestRuns();
  const dir = makeTestRunDir();
  process.env['TEST_RUN_DIR'] = dir;
  const { REDIS_URL, MONGODB_URI } = process.env;
  const log = console.log;
  const starts = await Promise.allSettled([
    REDIS_URL ? undefined : startRedis({ dir: join(dir, 'redis'), log }),
    MONGODB_URI ? undefined : startMongo({ dir: join(dir, 'mongodb'), log }),
    compileProcesses(join(dir, 'build')),
  ]);
  // Both have settled: neither is still starting when an error ends the run.
  const [redis, mongo] = starts.map((start) => {
    if (start.status === 'rejected') throw start.reason;
    return start.value ?? undefined;
  });
  process.env['TEST_REDIS_URL'] = REDIS_URL || redis?.url;
  process.env['TEST_BUILD_DIR'] = join(dir, 'build');
  process.env['TEST_MONGODB_URI'] = MONGODB_URI || mongo?.url;

  return async () => {
    // Their data is removed next: they need not shut down in order.
    for (const service of [redis, mongo]) {
      await service?.kill('SIGKILL');
      await service?.stop();
    }
    const leftRunning = await removeTestRunDir(dir);
    if (leftRunning.length > 0)
      console.warn(`The tests left these running, now ended: ${leftRunning.join(', ')}`);
  };
}
