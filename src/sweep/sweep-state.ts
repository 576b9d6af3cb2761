import type { RedisClient } from '../redis/connect.ts';
import { OBJECT_ID } from '@appointment-emissions/contracts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { luaScript } from '../redis/script.ts';
import { isWrongType } from '../redis/wrong-type.ts';

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
  reportDamage: ReportDamage;
}): AcquireSweepLease {
  const { redis, prefix, ownerId, lockMs, reportDamage } = deps;
  const lock = `${prefix}:sweep:lock`;
  const watermark = `${prefix}:sweep:watermark`;
  return async () => {
    const held = (await holdScript(redis, [lock], [ownerId, lockMs])) as [string, string] | null;
    if (held === null) return undefined;
    const [history, now] = held;
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

/** As far as each sweep looks back. A watermark further ahead of the clock would hide what is written until then. */
const MAX_AHEAD_MS = 5 * 60_000;

/** `undefined` where it cannot be understood: then the sweep begins anew, a day back, and skips no row. */
function parseWatermark(kept: Record<string, string>, now: number): Watermark | undefined {
  const { updatedAt = '', appointmentId = '', caughtUp } = kept;
  const isWhole = /^-?\d{1,15}$/.test(updatedAt) && (caughtUp === '0' || caughtUp === '1');
  if (!isWhole || Number(updatedAt) > now + MAX_AHEAD_MS) return undefined;
  return {
    updatedAt: Number(updatedAt),
    // Without it the sweep begins at the first row of that millisecond.
    appointmentId: OBJECT_ID.test(appointmentId) ? appointmentId : '',
    caughtUp: caughtUp === '1',
  };
}
