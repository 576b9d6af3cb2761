import { createHash } from 'node:crypto';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisClient } from '../redis/connect.ts';

/** Where somebody stands within the current window. */
export interface LimitStatus {
  isAllowed: boolean;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Seconds until the next window, at least 1. */
  resetSeconds: number;
}

export interface FleetRate {
  /** Counts one. */
  take: (who: string) => LimitStatus;
  /** Counts nothing. */
  look: (who: string) => LimitStatus;
  close: () => void;
}

export interface FleetRateOptions {
  redis: RedisClient;
  /** Queue prefix; one hash tag for all. */
  prefix: string;
  /** Of the limit: part of its keys. */
  name: string;
  limit: number;
  windowSeconds: number;
}

interface Count {
  endsAt: number;
  /** Of all processes, as Redis said last. */
  known: number;
  /** Of this one, not told to Redis yet. */
  untold: number;
}

const TELL_EVERY_MS = 250;
/** Who has less than this share of a limit is not told: that costs Redis nothing, whoever invents addresses. */
const LEAST_SHARE = 0.01;
/** Entries of one limit, each of at most {@link LONGEST_KEY} characters. */
const MAX_COUNTS = 50_000;
const LONGEST_KEY = 64;

/**
 * A limit over the whole fleet that costs no request a round trip: each process counts, four times a second tells Redis
 * what it counted, and hears what all have. So a limit may be passed by what arrives in 250 ms. Without Redis each
 * process holds the limit alone. Keys hold a hash of whom they count.
 */
export function createFleetRate(options: FleetRateOptions): FleetRate {
  const { redis, prefix, name, limit, windowSeconds } = options;
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `${prefix}:rate:${name}`,
    points: limit,
    duration: windowSeconds,
  });
  const leastTold = Math.max(1, limit * LEAST_SHARE);
  const counts = new Map<string, Count>();

  function current(who: string): Count {
    const now = performance.now();
    const key = who.length > LONGEST_KEY ? hashed(who) : who;
    const found = counts.get(key);
    if (found && now < found.endsAt) return found;
    if (counts.size >= MAX_COUNTS) forget(now);
    const begun = { endsAt: now + windowSeconds * 1_000, known: 0, untold: 0 };
    counts.set(key, begun);
    return begun;
  }

  function forget(now: number): void {
    for (const [who, { endsAt }] of counts) if (now >= endsAt) counts.delete(who);
    if (counts.size < MAX_COUNTS) return;
    // Whoever invents names must not make the process forget who has reached the limit: those go last.
    const entries = [...counts];
    const belowLimit = entries.filter(([, { known, untold }]) => known + untold < limit);
    for (const [who] of [...belowLimit, ...entries].slice(0, MAX_COUNTS / 10)) counts.delete(who);
  }

  function standing({ known, untold, endsAt }: Count, isAllowed: boolean): LimitStatus {
    return {
      isAllowed,
      limit,
      windowSeconds,
      remaining: Math.max(0, limit - known - untold),
      resetSeconds: Math.max(1, Math.ceil((endsAt - performance.now()) / 1_000)),
    };
  }

  async function tell(who: string, count: Count): Promise<void> {
    const told = count.untold;
    count.known += told;
    count.untold = 0;
    const { consumedPoints, msBeforeNext } = await limiter.penalty(hashed(who), told);
    count.known = consumedPoints;
    count.endsAt = performance.now() + msBeforeNext;
  }

  const timer = setInterval(() => {
    const now = performance.now();
    for (const [who, count] of counts) {
      if (now >= count.endsAt) counts.delete(who);
      // While Redis is away this process counts alone.
      else if (count.untold >= leastTold) tell(who, count).catch(() => undefined);
    }
  }, TELL_EVERY_MS);

  return {
    take(who) {
      const count = current(who);
      const isAllowed = count.known + count.untold < limit;
      if (isAllowed) count.untold += 1;
      return standing(count, isAllowed);
    },
    look(who) {
      const count = current(who);
      return standing(count, count.known + count.untold < limit);
    },
    close() {
      clearInterval(timer);
    },
  };
}

function hashed(who: string): string {
  return createHash('sha256').update(who).digest('hex').slice(0, 32);
}
