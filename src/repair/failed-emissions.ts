import type { Queue } from 'bullmq';
import type { FailedEmission } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import { execPipeline } from '../redis/exec-pipeline.ts';

export interface FailedRange {
  /** ms since the epoch, both inclusive; judged by when the job failed, by its worker's clock. */
  since: number;
  until: number;
  /** Only those whose reason begins with this code. */
  code?: string | undefined;
}

export interface FailedEmissions {
  /** Newest first. */
  latest: (limit: number) => Promise<FailedEmission[]>;
  /** Oldest first, at most `limit`; how many there are in all, and how many jobs that were met hold no emission. */
  inRange: (
    range: FailedRange,
    limit: number,
  ) => Promise<{ found: FailedEmission[]; matched: number; leftOut: number }>;
}

const PAGE = 500;
/** Of the latest, if jobs among them hold no emission. */
const MAX_PAGES = 20;

/** Reads failed jobs over the indexes that BullMQ keeps by time of failure. @throws when Redis is away */
export function createFailedEmissions(redis: RedisClient, of: readonly Queue[]): FailedEmissions {
  const queues = of.map((queue) => failedOf(redis, queue));
  return {
    async latest(limit) {
      const found = await Promise.all(queues.map((queue) => queue.latest(limit)));
      return found.flat().sort(byFailure).reverse().slice(0, limit);
    },
    async inRange(range, limit) {
      const each = await Promise.all(queues.map((queue) => queue.inRange(range, limit)));
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

function failedOf(redis: RedisClient, queue: Queue): FailedEmissions {
  const failedKey = queue.toKey('failed');

  /** Undefined in the place of those that hold no emission. */
  async function read(ids: readonly string[]): Promise<(FailedEmission | undefined)[]> {
    const pipeline = redis.pipeline();
    for (const id of ids)
      pipeline.hmget(queue.toKey(id), 'name', 'data', 'failedReason', 'atm', 'finishedOn');
    const replies = await execPipeline(pipeline);
    return replies.map((reply, index) => toFailed(ids[index] ?? '', reply as (string | null)[]));
  }

  function toFailed(emissionId: string, fields: readonly (string | null)[]): FailedEmission | undefined {
    const [event, data, reason, attempts, finishedOn] = fields;
    const failedAt = new Date(Number(finishedOn ?? Number.NaN));
    if (event == null || Number.isNaN(failedAt.getTime())) return undefined;
    const { appointmentId, companyId, acceptedAt } = parse(data ?? '');
    return {
      emissionId,
      queue: queue.name,
      event,
      appointmentId: text(appointmentId),
      companyId: text(companyId),
      reason: reason ?? '',
      attempts: Number(attempts ?? 0) || 0,
      acceptedAt: text(acceptedAt),
      failedAt: failedAt.toISOString(),
    };
  }

  return {
    async latest(limit) {
      const found: FailedEmission[] = [];
      for (let from = 0, page = 0; page < MAX_PAGES; from += limit, page += 1) {
        const ids = await redis.zrevrange(failedKey, from, from + limit - 1);
        found.push(...(await read(ids)).filter((failed) => failed !== undefined));
        if (found.length >= limit || ids.length < limit) break;
      }
      return found.slice(0, limit);
    },

    async inRange({ since, until, code }, limit) {
      const end = until === Infinity ? '+inf' : until;
      const found: FailedEmission[] = [];
      let [matched, leftOut] = [0, 0];
      for (let from = 0; ; from += PAGE) {
        const ids = await redis.zrangebyscore(failedKey, since, end, 'LIMIT', from, PAGE);
        const jobs = await read(ids);
        const usable = jobs.filter((failed) => failed !== undefined);
        const fitting = usable.filter(({ reason }) => code === undefined || reason.startsWith(`${code}:`));
        found.push(...fitting.slice(0, limit - found.length));
        matched += fitting.length;
        leftOut += jobs.length - usable.length;
        if (ids.length < PAGE) return { found, matched, leftOut };
        // All are read only where the number that match cannot be counted otherwise.
        if (code === undefined && found.length >= limit) {
          return { found, matched: (await redis.zcount(failedKey, since, end)) - leftOut, leftOut };
        }
      }
    },
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A job that somebody else put there may hold anything. */
function parse(json: string): Record<string, unknown> {
  try {
    const data = JSON.parse(json) as unknown;
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
