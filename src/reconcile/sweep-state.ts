import type { RedisClient } from '../connections.ts';

/** Where the sweep stands in the order of `(updatedAt, _id)`; ms since the epoch. */
export interface Watermark {
  updatedAt: number;
  appointmentId: string;
  /** False while it is still behind: then it goes on from here, without an overlap. */
  caughtUp: boolean;
}

export interface SweepState {
  /** True where this process may sweep: it has the lock, or took it. */
  acquire: () => Promise<boolean>;
  load: () => Promise<Watermark | undefined>;
  save: (watermark: Watermark) => Promise<void>;
}

/** The lock and the watermark, in Redis. Both may be lost: two sweeps at once, or one from further back, do no harm. */
export function createSweepState(deps: {
  redis: RedisClient;
  prefix: string;
  ownerId: string;
  lockMs: number;
}): SweepState {
  const { redis, prefix, ownerId, lockMs } = deps;
  const lock = `${prefix}:sweep:lock`;
  const watermark = `${prefix}:sweep:watermark`;
  return {
    async acquire() {
      const holder = await redis.set(lock, ownerId, 'PX', lockMs, 'NX', 'GET');
      if (holder === null) return true;
      if (holder !== ownerId) return false;
      await redis.pexpire(lock, lockMs);
      return true;
    },
    async load() {
      const { updatedAt, appointmentId, caughtUp } = await redis.hgetall(watermark);
      if (updatedAt === undefined) return undefined;
      return { updatedAt: Number(updatedAt), appointmentId: appointmentId ?? '', caughtUp: caughtUp === '1' };
    },
    async save({ updatedAt, appointmentId, caughtUp }) {
      await redis.hset(watermark, { updatedAt, appointmentId, caughtUp: caughtUp ? 1 : 0 });
    },
  };
}
