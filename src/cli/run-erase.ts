import type { WorkerConfig } from '../config.ts';
import { createCompanyKeys } from '../emission/keys.ts';
import { createPublishedKeys } from '../emission/published-keys.ts';
import { AppError, errorMessage } from '../errors.ts';
import { createErase, type EraseReport } from '../repair/erase.ts';
import { isAccessError } from '../redis/access-errors.ts';
import { connectServers } from './connect-servers.ts';

/**
 * Connects, erases a company or an appointment from Redis, and disconnects.
 * @throws AppError INVALID_REQUEST; QUEUE_UNAVAILABLE, also if the Redis user lacks a right
 */
export async function runErase(config: WorkerConfig, request: object): Promise<EraseReport> {
  const servers = connectServers(config);
  const { redis } = servers;
  try {
    const shards = await servers.openShards();
    const erase = createErase({
      ...{ redis, prefix: config.QUEUE_PREFIX },
      queues: () => shards.all().flatMap(({ live, bulk }) => [live, bulk]),
      companyKeys: createCompanyKeys(config.QUEUE_PREFIX),
      publishedCompanies: createPublishedKeys(config.QUEUE_PREFIX).companies,
    });
    return await erase(request);
  } catch (error) {
    if (error instanceof AppError || !isAccessError(error)) throw error;
    throw new AppError(
      'QUEUE_UNAVAILABLE',
      `erase needs the Redis user "operator" of ops/redis/users.acl in REDIS_URL: ${errorMessage(error)}`,
      { cause: error },
    );
  } finally {
    await servers.close();
  }
}
