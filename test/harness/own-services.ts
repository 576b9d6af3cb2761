import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMongo } from '../../scripts/services/mongo.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { type RedisOptions, startRedis } from '../../scripts/services/redis.ts';
import { eventually } from './until.ts';

/** Starts a Redis for one test, which may kill or freeze it, and must stop it. */
export function ownRedis(options: Partial<RedisOptions> = {}): Promise<ServiceHandle> {
  return startRedis({ dir: freshDir('redis'), ...options });
}

/** Starts a MongoDB for one test, which may kill or freeze it, and must stop it. */
export function ownMongo(): Promise<ServiceHandle> {
  return startMongo({ dir: freshDir('mongodb') });
}

/** Freezes a server. Resolves when all its threads are stopped: until then it can still answer. */
export async function freeze(service: ServiceHandle): Promise<void> {
  await service.kill('SIGSTOP');
  const threads = `/proc/${service.pid}/task`;
  if (!existsSync(threads)) return;
  await eventually(`${service.name} to be frozen`, () =>
    readdirSync(threads).every((id) => readFileSync(join(threads, id, 'stat'), 'latin1').includes(') T ')),
  );
}

/** The path of a new folder that is removed after the test run. */
export function freshDir(name: string): string {
  return join(process.env['TEST_RUN_DIR']!, `${name}-${randomUUID().slice(0, 8)}`);
}
