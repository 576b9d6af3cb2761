import type { Connection } from 'mongoose';
import type { RedisClient } from '../connections.ts';
import { messageOf } from '../errors.ts';
import { within } from '../lifecycle.ts';
import type { Check } from './health-routes.ts';

const CHECK_LIMIT_MS = 1_000;

/** MongoDB answers a ping. */
export function checkMongo(connection: Connection): () => Promise<Check> {
  return guarded('MongoDB', async () => {
    if (!connection.db) return { ok: false, detail: 'not connected' };
    await connection.db.command({ ping: 1 });
    return { ok: true };
  });
}

/** Redis answers, and never evicts: with any other policy than `noeviction` it may drop jobs. */
export function checkRedis(redis: RedisClient): () => Promise<Check> {
  return guarded('Redis', async () => {
    const memory = await redis.info('memory');
    const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1];
    return policy === undefined || policy === 'noeviction'
      ? { ok: true }
      : { ok: false, detail: `maxmemory-policy is ${policy}: set it to noeviction, or jobs can be lost` };
  });
}

function guarded(what: string, check: () => Promise<Check>): () => Promise<Check> {
  return async () => {
    try {
      return await within(CHECK_LIMIT_MS, `${what}'s answer`, check());
    } catch (error) {
      return { ok: false, detail: messageOf(error) };
    }
  };
}
