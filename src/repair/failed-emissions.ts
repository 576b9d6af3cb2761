import type { Queue } from 'bullmq';
import type { FailedEmission } from '@appointment-emissions/contracts';
import { readAvailable } from '../batching.ts';
import { sourceOf } from '../domain/emission-log.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { isWrongType } from '../redis/redis-errors.ts';

export interface FailedRange {
  /** When the job failed, by its worker's clock: ms since 1970, both inclusive. */
  since: number;
  until: number;
  /** Only emissions that failed with this error code. */
  code?: string | undefined;
}

export interface FailedEmissions {
  /** Newest first. Queues that cannot be read are left out, unless it is all of them. */
  latest: (limit: number) => Promise<FailedEmission[]>;
  /** Oldest first, at most `limit`. `matched`: number of all; `leftOut`: number of jobs whose data is unusable. */
  inRange: (
    range: FailedRange,
    limit: number,
  ) => Promise<{ found: FailedEmission[]; matched: number; leftOut: number }>;
}

const PAGE = 500;
/** Limit of `latest`, which reads further pages in place of unusable jobs. */
const MAX_PAGES = 20;

/**
 * Reads failed jobs through BullMQ's index by time of failure: its getters read by rank, not by time, and fail at damaged
 * jobs. @throws if Redis is unavailable
 */
export function createFailedEmissions(
  redis: RedisClient,
  queuesOf: () => readonly Queue[],
  reportDamage: ReportDamage,
): FailedEmissions {
  const all = () => queuesOf().map((queue) => failedOf(redis, queue, reportDamage));
  return {
    async latest(limit) {
      const found = await readAvailable(all(), (queue) => queue.latest(limit));
      return found
        .flatMap((failures) => failures ?? [])
        .sort(byFailure)
        .reverse()
        .slice(0, limit);
    },
    async inRange(range, limit) {
      const each = await Promise.all(all().map((queue) => queue.inRange(range, limit)));
      return {
        found: each
          .flatMap(({ found }) => found)
          .sort(byFailure)
          .slice(0, limit),
        matched: each.reduce((sum, { matched }) => sum + matched, 0),
        leftOut: each.reduce((sum, { leftOut }) => sum + leftOut, 0),
      };
    },
  };
}

/** Oldest first. */
const byFailure = (one: FailedEmission, other: FailedEmission): number =>
  one.failedAt < other.failedAt ? -1 : Number(one.failedAt > other.failedAt);

function failedOf(redis: RedisClient, queue: Queue, reportDamage: ReportDamage): FailedEmissions {
  const failedKey = queue.toKey('failed');
  const readJobs = createReadFailedJobs(redis, queue, reportDamage);

  /** Reports a key of another type, since BullMQ's own errors name no key. */
  async function ofFailed<T>(reading: Promise<T>, none: T): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      if (!isWrongType(error)) throw error;
      reportDamage('queue', { key: failedKey });
      return none;
    }
  }

  return {
    async latest(limit) {
      const found: FailedEmission[] = [];
      for (let from = 0, page = 0; page < MAX_PAGES; from += limit, page += 1) {
        const ids = await ofFailed(redis.zrevrange(failedKey, from, from + limit - 1), []);
        found.push(...(await readJobs(ids)).filter((failed) => failed !== undefined));
        if (found.length >= limit || ids.length < limit) break;
      }
      return found.slice(0, limit);
    },

    async inRange({ since, until, code }, limit) {
      const end = until === Infinity ? '+inf' : until;
      const found: FailedEmission[] = [];
      let [matched, leftOut] = [0, 0];
      for (let from = 0; ; from += PAGE) {
        const ids = await ofFailed(redis.zrangebyscore(failedKey, since, end, 'LIMIT', from, PAGE), []);
        const jobs = await readJobs(ids);
        const usable = jobs.filter((failed) => failed !== undefined);
        const fitting = usable.filter(({ reason }) => code === undefined || reason.startsWith(`${code}:`));
        found.push(...fitting.slice(0, limit - found.length));
        matched += fitting.length;
        leftOut += jobs.length - usable.length;
        if (ids.length < PAGE) return { found, matched, leftOut };
        // With a code the matching jobs cannot be counted without reading all of them.
        if (code === undefined && found.length >= limit) {
          return { found, matched: (await redis.zcount(failedKey, since, end)) - leftOut, leftOut };
        }
      }
    },
  };
}

/** Reads jobs in one round trip; `undefined` for each job that is no longer kept or whose data is unusable. */
function createReadFailedJobs(redis: RedisClient, queue: Queue, reportDamage: ReportDamage) {
  return async (ids: readonly string[]): Promise<(FailedEmission | undefined)[]> => {
    const pipeline = redis.pipeline();
    for (const id of ids)
      pipeline.hmget(queue.toKey(id), 'name', 'data', 'failedReason', 'atm', 'finishedOn');
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply], index) => {
      const emissionId = ids[index] ?? '';
      if (error && !isWrongType(error)) throw error;
      const failed = error ? undefined : parseFailed(reply as (string | null)[]);
      if (!failed) reportDamage('job', { key: queue.toKey(emissionId) });
      return failed && { ...failed, emissionId, queue: queue.name, source: sourceOf(emissionId) };
    });
  };
}

/** The latest time that a Date can represent. */
const MAX_TIME_MS = 8.64e15;

/** `undefined` if the job is not kept or did not fail. Fields that cannot be parsed are empty. */
function parseFailed([event, json, reason, attempts, finishedOn]: (string | null)[]) {
  const failedMs = Number(finishedOn ?? undefined);
  if (event == null || !(Math.abs(failedMs) <= MAX_TIME_MS)) return undefined;
  const data = parseData(json ?? '');
  const text = (field: string): string => (typeof data[field] === 'string' ? data[field] : '');
  return {
    event,
    appointmentId: text('appointmentId'),
    companyId: text('companyId'),
    reason: reason ?? '',
    attempts: Math.trunc(Number(attempts)) || 0,
    acceptedAt: text('acceptedAt'),
    failedAt: new Date(failedMs).toISOString(),
  };
}

/** A job that another program wrote can contain anything. */
function parseData(json: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(json);
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
