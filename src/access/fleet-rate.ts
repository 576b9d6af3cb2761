import { hash } from 'node:crypto';
import { chunks } from '../batching.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { luaScript } from '../redis/script.ts';

/** The state of one caller's limit in the current window. */
export interface LimitStatus {
  isAllowed: boolean;
  remaining: number;
  /** Seconds until the next window, at least 1. */
  resetSeconds: number;
}

export interface FleetRate {
  /** Of each caller, in a window. */
  readonly limit: number;
  readonly windowSeconds: number;
  /** Counts one request of a caller. */
  consume: (caller: string) => LimitStatus;
  /** Returns the state without counting. */
  peek: (caller: string) => LimitStatus;
  close: () => void;
}

export interface FleetRateOptions {
  redis: RedisClient;
  /** Queue prefix; one hash tag for all. */
  prefix: string;
  /** Name of the limit; part of its keys. */
  name: string;
  limit: number;
  windowSeconds: number;
  reportDamage: ReportDamage;
}

/** One caller's requests in the current window. */
interface Count {
  endsAt: number;
  /** Of the whole fleet, at the last sync. */
  known: number;
  /** Of this process, since the last sync. */
  pending: number;
}

const addScript = luaScript(new URL('./add-to-windows.lua', import.meta.url));

const SYNC_EVERY_MS = 250;
/** A smaller share of the limit is not synced: callers that invent addresses cost Redis nothing. */
const MIN_SYNCED_SHARE = 0.01;
const MAX_KEYS_PER_CALL = 500;
/** Of one limit. Each has a name of at most {@link MAX_NAME_LENGTH} characters. */
const MAX_COUNTS = 50_000;
const MAX_NAME_LENGTH = 64;

/**
 * A limit over the whole fleet that costs a request no round trip. Each process counts; four times a second it adds its
 * count to Redis and reads that of the fleet. So a limit can be exceeded by the requests of 250 ms. While Redis is
 * unavailable each process has the limit for itself. Keys hold a hash of the caller's name.
 */
export function createFleetRate(options: FleetRateOptions): FleetRate {
  const { limit, windowSeconds } = options;
  const minSynced = Math.max(1, limit * MIN_SYNCED_SHARE);
  const counts = createCounts(options);

  const timer = setInterval(() => {
    for (const batch of chunks(counts.due(minSynced), MAX_KEYS_PER_CALL))
      sync(options, batch).catch(() => undefined);
  }, SYNC_EVERY_MS);

  function status({ known, pending, endsAt }: Count, isAllowed: boolean): LimitStatus {
    return {
      isAllowed,
      remaining: Math.max(0, limit - known - pending),
      resetSeconds: Math.max(1, Math.ceil((endsAt - performance.now()) / 1_000)),
    };
  }

  return {
    limit,
    windowSeconds,
    consume(caller) {
      const count = counts.of(caller);
      const isAllowed = count.known + count.pending < limit;
      if (isAllowed) count.pending += 1;
      return status(count, isAllowed);
    },
    peek(caller) {
      const count = counts.of(caller);
      return status(count, count.known + count.pending < limit);
    },
    close() {
      clearInterval(timer);
    },
  };
}

/** The counts of this process, bounded in number. */
function createCounts({ limit, windowSeconds }: FleetRateOptions) {
  const counts = new Map<string, Count>();

  function removeSome(now: number): void {
    for (const [name, { endsAt }] of counts) if (now >= endsAt) counts.delete(name);
    if (counts.size < MAX_COUNTS) return;
    // Callers that invent names must not make the process forget those that have reached the limit.
    const entries = [...counts];
    const belowLimit = entries.filter(([, { known, pending }]) => known + pending < limit);
    for (const [name] of [...belowLimit, ...entries].slice(0, MAX_COUNTS / 10)) counts.delete(name);
  }

  return {
    /** Begins a window if the caller has none. */
    of(caller: string): Count {
      const now = performance.now();
      const name = caller.length > MAX_NAME_LENGTH ? digest(caller) : caller;
      const found = counts.get(name);
      if (found && now < found.endsAt) return found;
      if (counts.size >= MAX_COUNTS) removeSome(now);
      const created = { endsAt: now + windowSeconds * 1_000, known: 0, pending: 0 };
      counts.set(name, created);
      return created;
    },
    /** Those to sync. Removes counts whose window has ended. */
    due(minPending: number): [name: string, count: Count][] {
      const now = performance.now();
      const due: [string, Count][] = [];
      for (const entry of counts) {
        if (now >= entry[1].endsAt) counts.delete(entry[0]);
        else if (entry[1].pending >= minPending) due.push(entry);
      }
      return due;
    },
  };
}

async function sync(
  { redis, prefix, name: limitName, windowSeconds, reportDamage }: FleetRateOptions,
  batch: readonly (readonly [name: string, count: Count])[],
): Promise<void> {
  const keys = batch.map(([name]) => `${prefix}:rate:${limitName}:${digest(name)}`);
  const amounts = batch.map(([, { pending }]) => pending);
  for (const [, count] of batch) {
    count.known += count.pending;
    count.pending = 0;
  }
  const replies = (await addScript(redis, keys, [windowSeconds * 1_000, ...amounts])) as number[];
  const now = performance.now();
  batch.forEach(([, count], index) => {
    const [known = count.known, restMs = 0, isDamaged] = replies.slice(3 * index, 3 * index + 3);
    count.known = known;
    count.endsAt = now + restMs;
    if (isDamaged === 1) reportDamage('rate', { key: keys[index] });
  });
}

function digest(caller: string): string {
  return hash('sha256', caller).slice(0, 32);
}
