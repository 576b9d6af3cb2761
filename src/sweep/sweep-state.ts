import type { RedisClient } from '../redis/connect.ts';
import { luaScript } from '../redis/script.ts';

/** Where the sweep stands in the order of `(updatedAt, _id)`; ms since the epoch. */
export interface Watermark {
  updatedAt: number;
  appointmentId: string;
  /** False while it is still behind: then it goes on from here, without an overlap. */
  caughtUp: boolean;
}

/** The right to sweep. */
export interface SweepLease {
  /** When it was taken, by Redis' clock, which all workers share; ms since the epoch. */
  now: number;
  load: () => Promise<Watermark | undefined>;
  /**
   * False, and nothing is saved, where the right was lost since: to another worker, or with all that Redis held. Then
   * what was enqueued under it may be lost too, and must be looked for again.
   */
  save: (watermark: Watermark) => Promise<boolean>;
}

/** Resolves to `undefined` where another process sweeps. @throws what Redis throws. */
export type AcquireSweepLease = () => Promise<SweepLease | undefined>;

const holdScript = luaScript(new URL('./hold-sweep.lua', import.meta.url));
const saveScript = luaScript(new URL('./save-watermark.lua', import.meta.url));

/** The lock and the watermark, in Redis. Both may be lost: two sweeps at once, or one from further back, do no harm. */
export function createAcquireSweepLease(deps: {
  redis: RedisClient;
  prefix: string;
  ownerId: string;
  lockMs: number;
}): AcquireSweepLease {
  const { redis, prefix, ownerId, lockMs } = deps;
  const lock = `${prefix}:sweep:lock`;
  const watermark = `${prefix}:sweep:watermark`;
  return async () => {
    const held = (await holdScript(redis, [lock], [ownerId, lockMs])) as [string, string] | null;
    if (held === null) return undefined;
    const [history, now] = held;
    return {
      now: Number(now),
      async load() {
        const { updatedAt, appointmentId, caughtUp } = await redis.hgetall(watermark);
        if (updatedAt === undefined) return undefined;
        return {
          updatedAt: Number(updatedAt),
          appointmentId: appointmentId ?? '',
          caughtUp: caughtUp === '1',
        };
      },
      async save({ updatedAt, appointmentId, caughtUp }) {
        const args = [ownerId, lockMs, history, updatedAt, appointmentId, caughtUp ? 1 : 0];
        return (await saveScript(redis, [lock, watermark], args)) === 1;
      },
    };
  };
}
