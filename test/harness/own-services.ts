import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMongo } from '../../scripts/services/mongo.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { type RedisOptions, startRedis } from '../../scripts/services/redis.ts';
import { eventually } from './until.ts';

/** A server of the test's own, to stop, kill or freeze. The test stops it. */
export function ownRedis(options: Partial<RedisOptions> = {}): Promise<ServiceHandle> {
  return startRedis({ dir: freshDir('redis'), ...options });
}

export function ownMongo(): Promise<ServiceHandle> {
  return startMongo({ dir: freshDir('mongodb') });
}

/** Freezes a server, and resolves when none of its threads runs any more: until then it may still answer. */
export async function freeze(service: ServiceHandle): Promise<void> {
  await service.kill('SIGSTOP');
  const threads = `/proc/${service.pid}/task`;
  if (!existsSync(threads)) return;
  await eventually(`${service.name} to be frozen`, () =>
    readdirSync(threads).every((id) => readFileSync(join(threads, id, 'stat'), 'latin1').includes(') T ')),
  );
}

/** A folder that goes away with the test run. */
export function freshDir(name: string): string {
  return join(process.env['TEST_RUN_DIR']!, `${name}-${randomUUID().slice(0, 8)}`);
}
