import type { RedisClient } from './connect.ts';
import { ifOwnType } from './redis-errors.ts';
import { CURRENT_HISTORY, luaScript } from './script.ts';

export type Fields = Readonly<Record<string, string | number>>;

/** The exclusive right to do a task. Its owner keeps in hashes how far it came. All keys are in the slot of the lock. */
export interface Lease {
  /** When it was acquired, by Redis' clock, in ms since 1970. */
  now: number;
  /** The saved fields of a hash; empty if nothing was saved, `undefined` if the key is of another type. */
  load: (key: string) => Promise<Record<string, string> | undefined>;
  /**
   * Saves fields of a hash, and renews the lease. Resolves to false, and saves nothing, if the lease was lost: to another
   * process, or because Redis lost its data. In that case enqueued jobs may be lost too.
   */
  save: (key: string, fields: Fields) => Promise<boolean>;
  /** Like `save`, without fields. */
  renew: () => Promise<boolean>;
  /** Lets another process acquire the lease immediately. */
  release: () => Promise<void>;
}

/** Resolves to `undefined` if another process has the lease. @throws what Redis throws */
export type AcquireLease = () => Promise<Lease | undefined>;

const acquireScript = luaScript(CURRENT_HISTORY, new URL('./acquire-lease.lua', import.meta.url));
const saveScript = luaScript(CURRENT_HISTORY, new URL('./save-under-lease.lua', import.meta.url));

/**
 * Leases in Redis. An owner that was frozen longer than `lockMs` can save nothing: the lease is fenced.
 * @param lock  key of the lock: `{emissions}:sweep:lock`
 */
export function createAcquireLease(deps: {
  redis: RedisClient;
  lock: string;
  ownerId: string;
  lockMs: number;
}): AcquireLease {
  const { redis, lock, ownerId, lockMs } = deps;
  return async () => {
    const acquired = (await acquireScript(redis, [lock], [ownerId, lockMs])) as [string, string] | null;
    if (acquired === null) return undefined;
    const [history, now] = acquired;
    const save = async (key: string, fields: Fields, lifetimeMs = lockMs): Promise<boolean> => {
      const args = [ownerId, lifetimeMs, history, ...Object.entries(fields).flat()];
      return (await saveScript(redis, [lock, key], args)) === 1;
    };
    return {
      now: Number(now),
      load: (key) => ifOwnType(redis.hgetall(key)),
      save: (key, fields) => save(key, fields),
      renew: () => save(lock, {}),
      async release() {
        await save(lock, {}, 1);
      },
    };
  };
}
