import type { RedisClient } from './connect.ts';
import { luaScript } from './script.ts';

/** Servers whose clocks this process' own is compared with. */
export type ClockServer = 'redis' | 'mongodb';

export interface SharedClock {
  /** Milliseconds since 1970 by Redis' clock, which all processes share; by our own until Redis was first asked. */
  now: () => number;
  /** By how many ms our own clock is ahead of each server's, as last measured; negative where it is behind. */
  skewMs: (server: ClockServer) => number | undefined;
  /** In words, where a clock differs by more than a few seconds. */
  warnings: () => string[];
  close: () => void;
}

export interface SharedClockDeps {
  redis: RedisClient;
  /** Any key of the queue: on a Cluster the node that it lies on is asked. */
  key: string;
  /** MongoDB's time in ms since 1970. */
  mongoTime: () => Promise<number>;
  /** A clock differs, or no longer does: said when that begins and every ten minutes while it lasts. */
  onSkew: (server: ClockServer, skewMs: number, differs: boolean) => void;
}

const MEASURE_EVERY_MS = 5_000;
const REPORT_EVERY_MS = 600_000;
/** An answer that took longer says too little of when it was given. */
const LONGEST_ROUND_TRIP_MS = 800;
const TOLERATED_MS = 3_000;
const NAMES: Record<ClockServer, string> = { redis: "Redis'", mongodb: "MongoDB's" };

const timeScript = luaScript(new URL('./redis-time.lua', import.meta.url));

/**
 * One clock for the fleet: Redis' time, carried on by this process' monotonic clock, so that neither a wrong clock of this
 * machine nor a correction of it changes what is compared between machines.
 */
export function createSharedClock({ redis, key, mongoTime, onSkew }: SharedClockDeps): SharedClock {
  const skews = new Map<ClockServer, number>();
  const reportedAt = new Map<ClockServer, number>();
  /** Redis' time less our monotonic clock's. */
  let redisOffset: number | undefined;

  async function measure(server: ClockServer, read: () => Promise<number>): Promise<void> {
    const sentAt = performance.now();
    const time = await read();
    const roundTripMs = performance.now() - sentAt;
    if (roundTripMs > LONGEST_ROUND_TRIP_MS || !Number.isFinite(time)) return;
    const answeredAt = sentAt + roundTripMs / 2;
    if (server === 'redis') redisOffset = time - answeredAt;
    const skewMs = Date.now() - roundTripMs / 2 - time;
    skews.set(server, skewMs);
    report(server, skewMs);
  }

  function report(server: ClockServer, skewMs: number): void {
    const last = reportedAt.get(server);
    if (Math.abs(skewMs) <= TOLERATED_MS) {
      if (reportedAt.delete(server)) onSkew(server, skewMs, false);
    } else if (last === undefined || performance.now() - last >= REPORT_EVERY_MS) {
      reportedAt.set(server, performance.now());
      onSkew(server, skewMs, true);
    }
  }

  async function redisTime(): Promise<number> {
    const [seconds, microseconds] = (await timeScript(redis, [key], [])) as [string, string];
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  }

  function measureBoth(): void {
    // A server that is away is reported by who needs it.
    for (const [server, read] of [['redis', redisTime] as const, ['mongodb', mongoTime] as const]) {
      measure(server, read).catch(() => undefined);
    }
  }

  measureBoth();
  redis.on('ready', measureBoth);
  const timer = setInterval(measureBoth, MEASURE_EVERY_MS);
  return {
    now: () => (redisOffset === undefined ? Date.now() : Math.round(redisOffset + performance.now())),
    skewMs: (server) => skews.get(server),
    warnings: () =>
      [...skews].flatMap(([server, skewMs]) =>
        Math.abs(skewMs) <= TOLERATED_MS
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
