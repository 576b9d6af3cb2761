import { OBJECT_ID } from '@appointment-emissions/contracts';
import type { Cursor } from '../domain/updated-rows.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { CURRENT_HISTORY, luaScript } from '../redis/script.ts';
import { isWrongType } from '../redis/redis-errors.ts';

/** Position of the sweep in the order of `(updatedAt, _id)`, in ms since 1970. */
export interface Watermark extends Cursor {
  /** False if rows were left for the next sweep. That one continues from here, without an overlap. */
  caughtUp: boolean;
}

/** The exclusive right to sweep. */
export interface SweepLease {
  /** When it was acquired, by Redis' clock, in ms since 1970. */
  now: number;
  load: () => Promise<Watermark | undefined>;
  /**
   * Resolves to false, and saves nothing, if the lease was lost: to another worker, or because Redis lost its data. In that
   * case enqueued jobs may be lost too, and their rows must be searched again.
   */
  save: (watermark: Watermark) => Promise<boolean>;
}

/** Resolves to `undefined` if another process has the lease. @throws what Redis throws */
export type AcquireSweepLease = () => Promise<SweepLease | undefined>;

const acquireScript = luaScript(CURRENT_HISTORY, new URL('./acquire-lease.lua', import.meta.url));
const saveScript = luaScript(CURRENT_HISTORY, new URL('./save-watermark.lua', import.meta.url));

/** Keeps lock and watermark in Redis. Losing them is harmless: two sweeps at once, or one that starts earlier, emit nothing twice. */
export function createAcquireSweepLease(deps: {
  redis: RedisClient;
  prefix: string;
  ownerId: string;
  lockMs: number;
  reportDamage: ReportDamage;
}): AcquireSweepLease {
  const { redis, prefix, ownerId, lockMs, reportDamage } = deps;
  const lock = `${prefix}:sweep:lock`;
  const watermark = `${prefix}:sweep:watermark`;
  return async () => {
    const acquired = (await acquireScript(redis, [lock], [ownerId, lockMs])) as [string, string] | null;
    if (acquired === null) return undefined;
    const [history, now] = acquired;
    return {
      now: Number(now),
      async load() {
        const kept = await redis.hgetall(watermark).catch((error: unknown) => {
          if (isWrongType(error)) return undefined;
          throw error;
        });
        if (kept && Object.keys(kept).length === 0) return undefined;
        const parsed = kept && parseWatermark(kept, Number(now));
        if (!parsed) reportDamage('watermark', { key: watermark });
        return parsed;
      },
      async save({ updatedAt, appointmentId, caughtUp }) {
        const args = [ownerId, lockMs, history, updatedAt, appointmentId, caughtUp ? 1 : 0];
        return (await saveScript(redis, [lock, watermark], args)) === 1;
      },
    };
  };
}

/** The overlap of sweeps. A watermark further ahead of the clock would hide the writes until that time. */
const MAX_AHEAD_MS = 5 * 60_000;

/** `undefined` if it is damaged: the sweep then starts one day back and skips no row. */
function parseWatermark(kept: Record<string, string>, now: number): Watermark | undefined {
  const { updatedAt = '', appointmentId = '', caughtUp } = kept;
  const isWhole = /^-?\d{1,15}$/.test(updatedAt) && (caughtUp === '0' || caughtUp === '1');
  if (!isWhole || Number(updatedAt) > now + MAX_AHEAD_MS) return undefined;
  return {
    updatedAt: Number(updatedAt),
    // With '' the sweep begins at the first row of that millisecond.
    appointmentId: OBJECT_ID.test(appointmentId) ? appointmentId : '',
    caughtUp: caughtUp === '1',
  };
}
