import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startMongo } from '../../scripts/services/mongo.mjs';
import type { ServiceHandle } from '../../scripts/services/service.mjs';
import { type RedisOptions, startRedis } from '../../scripts/services/redis.mjs';

/** A server of the test's own, to stop, kill or freeze. The test stops it. */
export function ownRedis(options: Partial<RedisOptions> = {}): Promise<ServiceHandle> {
  return startRedis({ dir: freshDir('redis'), ...options });
}

export function ownMongo(): Promise<ServiceHandle> {
  return startMongo({ dir: freshDir('mongodb') });
}

/** A folder that goes away with the test run. */
export function freshDir(name: string): string {
  return join(process.env['TEST_RUN_DIR']!, `${name}-${randomUUID().slice(0, 8)}`);
}
