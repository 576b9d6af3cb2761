import type { Connection } from 'mongoose';
import type { RedisClient } from './connect.ts';
import type { Lifecycle } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import { type ClockServer, createSharedClock, type SharedClock } from './shared-clock.ts';

export interface ComposeClockDeps {
  redis: RedisClient;
  queues: { live: { toKey: (type: string) => string } };
  mongo: { connection: Connection };
  metrics: { watchClock: (skewMs: (server: ClockServer) => number | undefined) => void };
  lifecycle: Lifecycle;
  logger: Logger;
}

/** Creates the fleet's clock of this process; logs and measures the skew of its own clock. */
export function composeClock(deps: ComposeClockDeps): SharedClock {
  const { redis, queues, mongo, metrics, lifecycle, logger } = deps;
  const clock = createSharedClock({
    redis,
    key: queues.live.toKey('meta'),
    mongoTime: async () => {
      const answer = await mongo.connection.db?.command({ hello: 1 });
      return answer?.localTime instanceof Date ? answer.localTime.getTime() : Number.NaN;
    },
    onSkew: (server, skewMs, differs) => {
      const fields = { server, skewMs: Math.round(skewMs) };
      if (differs) logger.warn(fields, 'clock differs');
      else logger.info(fields, 'clock agrees again');
    },
  });
  lifecycle.onClose('clock', clock.close);
  metrics.watchClock(clock.skewMs);
  return clock;
}
