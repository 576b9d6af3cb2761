import { setTimeout as pause } from 'node:timers/promises';
import type { Id } from '@appointment-emissions/contracts';
import { coalesce, chunks } from '../batching.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { within } from '../process/lifecycle.ts';
import { luaScript } from '../redis/script.ts';
import { isWrongType } from '../redis/redis-errors.ts';
import { KEPT_COMPLETED_SECONDS } from './retry-policy.ts';

export interface RecentEmissionsDeps {
  redis: RedisClient;
  /** Queue prefix; one hash tag for all. */
  prefix: string;
  /** Milliseconds since 1970, by a clock that all processes share: it names the sets. */
  now?: () => number;
  reportDamage: ReportDamage;
  /** Called if ids could not be stored. They are missing from this list only; the jobs are kept. */
  onForgotten: (error: unknown) => void;
}

interface Accepted {
  appointmentId: Id;
  emissionId: string;
  /** ISO 8601. */
  acceptedAt: string;
}

export interface RecentEmissions {
  /** Stores ids in the background. Calls within a few milliseconds share a command. */
  remember: (emissions: readonly Accepted[]) => void;
  /** The last ten emission ids of an appointment, newest first, including those that this process has not stored yet. @throws if Redis is unavailable */
  read: (appointmentId: Id) => Promise<string[]>;
  /** Resolves when all ids are stored, or failed to be. */
  settled: () => Promise<unknown>;
}

/** A script, since ioredis sets each command of the client as a property of every pipeline: 5 kB each. */
const rememberScript = luaScript(new URL('./remember-recent.lua', import.meta.url));

const KEPT = 10;
/** A repeated request stores its id twice, so more are read to find ten different ones. */
const READ = 3 * KEPT;
const SPAN_SECONDS = 600;
const SPANS_KEPT = KEPT_COMPLETED_SECONDS / SPAN_SECONDS;
/** Blocks Redis for about a millisecond. */
const IDS_PER_COMMAND = 500;
const CALLS_TOGETHER = 1_000;
/** The emission itself goes first. */
const GATHER_MS = 15;
/** A read waits this long for stores in progress. */
const READ_TIMEOUT_MS = 500;

/**
 * Each ten minutes have one sorted set, with members "appointment, time, emission". The ids of an appointment are found by
 * this prefix. One command stores the ids of many appointments. A list for each appointment would need three commands for
 * each id. Memory: about 200 bytes for each emission of a day.
 */
export function createRecentEmissions({
  redis,
  prefix,
  now = Date.now,
  reportDamage,
  onForgotten,
}: RecentEmissionsDeps): RecentEmissions {
  const keyOf = (span: number): string => `${prefix}:recent:${span}`;
  const spanNow = (): number => Math.floor(now() / (SPAN_SECONDS * 1_000));

  async function keep(emissions: readonly Accepted[]): Promise<void> {
    const key = keyOf(spanNow());
    const members = emissions.flatMap(({ appointmentId, acceptedAt, emissionId }) => [
      0,
      `${appointmentId} ${acceptedAt} ${emissionId}`,
    ]);
    await rememberScript(redis, [key], [KEPT_COMPLETED_SECONDS + SPAN_SECONDS, ...members]);
  }

  const rememberShared = coalesce<readonly Accepted[], undefined>({
    async run(calls) {
      await pause(GATHER_MS);
      const emissions = calls.flat();
      try {
        for (const slice of chunks(emissions, IDS_PER_COMMAND)) await keep(slice);
      } catch (error) {
        onForgotten(error);
      }
      return [];
    },
    maxBatch: CALLS_TOGETHER,
  });

  let latest: Promise<unknown> = Promise.resolve();
  return {
    remember: (emissions) => {
      latest = rememberShared(emissions);
    },
    settled: () => latest,
    async read(appointmentId) {
      await within(READ_TIMEOUT_MS, 'the last ids', latest).catch(() => undefined);
      const newest = spanNow();
      const spans = Array.from({ length: SPANS_KEPT + 1 }, (_, ago) => newest - ago);
      const [to, from] = [`[${appointmentId} ~`, `[${appointmentId} `];
      const found = await Promise.all(
        spans.map(async (span) => {
          try {
            return await redis.zrevrangebylex(keyOf(span), to, from, 'LIMIT', 0, READ);
          } catch (error) {
            if (!isWrongType(error)) throw error;
            reportDamage('recent', { key: keyOf(span) });
            return [];
          }
        }),
      );
      const ids = found.flat().map((member) => member.slice(member.lastIndexOf(' ') + 1));
      return [...new Set(ids)].slice(0, KEPT);
    },
  };
}
