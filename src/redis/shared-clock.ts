import type { RedisClient } from './connect.ts';
import { luaScript } from './script.ts';
import type { Connection } from 'mongoose';
import type { Lifecycle } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';

/** Servers whose clocks this process' own is compared with. */
export type ClockServer = 'redis' | 'mongodb';

export interface SharedClock {
  /** Milliseconds since 1970 by Redis' clock, the same in all processes; by this machine's clock until Redis first replied. */
  now: () => number;
  /** This machine's clock minus the server's, in ms, as last measured. */
  skewMs: (server: ClockServer) => number | undefined;
  /** Warnings for the operator if clocks differ by more than 3 s. */
  warnings: () => string[];
  close: () => void;
}

interface SharedClockDeps extends Pick<ComposeClockDeps, 'redis' | 'key'> {
  /** MongoDB's time in ms since 1970. */
  mongoTime: () => Promise<number>;
  /** Called when a clock begins to differ, every ten minutes while it differs, and when it agrees again. */
  onSkew: (server: ClockServer, skewMs: number, differs: boolean) => void;
}

const MEASURE_INTERVAL_MS = 5_000;
const REPORT_INTERVAL_MS = 600_000;
/** The time of a slower reply is too inexact. */
const MAX_ROUND_TRIP_MS = 800;
const MAX_SKEW_MS = 3_000;
const NAMES: Record<ClockServer, string> = { redis: "Redis'", mongodb: "MongoDB's" };

const timeScript = luaScript(new URL('./redis-time.lua', import.meta.url));

/** Redis' time in ms since 1970. @param key  any key of the queue: on a Cluster it selects the node */
export async function readRedisTime(redis: RedisClient, key: string): Promise<number> {
  const [seconds, microseconds] = (await timeScript(redis, [key], [])) as [string, string];
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}

/** MongoDB's time in ms since 1970; NaN if its reply has no time. */
export async function readMongoTime(connection: Connection): Promise<number> {
  const answer = await connection.db?.command({ hello: 1 });
  return answer?.localTime instanceof Date ? answer.localTime.getTime() : Number.NaN;
}

/**
 * One clock for the fleet: Redis' time, continued by the monotonic clock of this process. A wrong clock of this machine, or
 * its correction, does not change times that are compared between machines.
 */
function createSharedClock({ redis, key, mongoTime, onSkew }: SharedClockDeps): SharedClock {
  const skews = new Map<ClockServer, number>();
  const reportedAt = new Map<ClockServer, number>();
  /** Redis' time minus our monotonic clock. */
  let redisOffset: number | undefined;

  async function measure(server: ClockServer, read: () => Promise<number>): Promise<void> {
    const sentAt = performance.now();
    const time = await read();
    const roundTripMs = performance.now() - sentAt;
    if (roundTripMs > MAX_ROUND_TRIP_MS || !Number.isFinite(time)) return;
    const answeredAt = sentAt + roundTripMs / 2;
    if (server === 'redis') redisOffset = time - answeredAt;
    const skewMs = Date.now() - roundTripMs / 2 - time;
    skews.set(server, skewMs);
    report(server, skewMs);
  }

  function report(server: ClockServer, skewMs: number): void {
    const last = reportedAt.get(server);
    if (Math.abs(skewMs) <= MAX_SKEW_MS) {
      if (reportedAt.delete(server)) onSkew(server, skewMs, false);
    } else if (last === undefined || performance.now() - last >= REPORT_INTERVAL_MS) {
      reportedAt.set(server, performance.now());
      onSkew(server, skewMs, true);
    }
  }

  function measureBoth(): void {
    // Outages are logged by the code that uses the server.
    const redisTime = () => readRedisTime(redis, key);
    for (const [server, read] of [['redis', redisTime] as const, ['mongodb', mongoTime] as const]) {
      measure(server, read).catch(() => undefined);
    }
  }

  measureBoth();
  redis.on('ready', measureBoth);
  const timer = setInterval(measureBoth, MEASURE_INTERVAL_MS);
  return {
    now: () => (redisOffset === undefined ? Date.now() : Math.round(redisOffset + performance.now())),
    skewMs: (server) => skews.get(server),
    warnings: () =>
      [...skews].flatMap(([server, skewMs]) =>
        Math.abs(skewMs) <= MAX_SKEW_MS
          ? []
          : `its clock is ${describe(skewMs)} of ${NAMES[server]}: synchronise them`,
      ),
    close() {
      clearInterval(timer);
      redis.off('ready', measureBoth);
    },
  };
}

function describe(skewMs: number): string {
  return `${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? 'ahead' : 'behind'}`;
}

export interface ComposeClockDeps {
  redis: RedisClient;
  /** Any key of the queue: on a Cluster it selects the node. */
  key: string;
  mongo: { connection: Connection };
  metrics: { watchClock: (skewMs: (server: ClockServer) => number | undefined) => void };
  lifecycle: Lifecycle;
  logger: Logger;
}

/** Creates the fleet's clock of this process; logs and measures the skew of its own clock. */
export function composeClock(deps: ComposeClockDeps): SharedClock {
  const { redis, key, mongo, metrics, lifecycle, logger } = deps;
  const clock = createSharedClock({
    redis,
    key,
    mongoTime: () => readMongoTime(mongo.connection),
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
