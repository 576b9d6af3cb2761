import type { Queue } from 'bullmq';
import type { FailedEmission } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import { answersOf } from '../redis/exec-pipeline.ts';

export interface FailedRange {
  /** ms since the epoch, both inclusive; judged by when the job failed. */
  since: number;
  until: number;
  /** Only those whose reason begins with this code. */
  code?: string | undefined;
}

export interface FailedEmissions {
  /** Newest first. */
  latest: (limit: number) => Promise<FailedEmission[]>;
  /** Oldest first, at most `limit`, and how many there are in all. */
  inRange: (range: FailedRange, limit: number) => Promise<{ found: FailedEmission[]; matched: number }>;
}

const PAGE = 500;

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
      };
    },
  };
}

/** Oldest first. */
const byFailure = (one: FailedEmission, other: FailedEmission): number =>
  one.failedAt < other.failedAt ? -1 : Number(one.failedAt > other.failedAt);

function failedOf(redis: RedisClient, queue: Queue): FailedEmissions {
  const failedKey = queue.toKey('failed');

  async function read(ids: readonly string[]): Promise<FailedEmission[]> {
    const pipeline = redis.pipeline();
    for (const id of ids)
      pipeline.hmget(queue.toKey(id), 'name', 'data', 'failedReason', 'atm', 'finishedOn');
    const replies = await answersOf(pipeline);
    return replies.flatMap((reply, index) => {
      const [event, data, reason, attempts, finishedOn] = reply as (string | null)[];
      if (event == null || finishedOn == null) return [];
      const { appointmentId = '', companyId = '', acceptedAt = '' } = parse(data ?? '');
      return {
        emissionId: ids[index] ?? '',
        queue: queue.name,
        event,
        appointmentId,
        companyId,
        reason: reason ?? '',
        attempts: Number(attempts ?? 0),
        acceptedAt,
        failedAt: new Date(Number(finishedOn)).toISOString(),
      };
    });
  }

  return {
    latest: async (limit) => read(await redis.zrevrange(failedKey, 0, limit - 1)),

    async inRange({ since, until, code }, limit) {
      if (code === undefined) {
        const matched = await redis.zcount(failedKey, since, until);
        const ids = await redis.zrangebyscore(failedKey, since, until, 'LIMIT', 0, limit);
        return { found: await readPages(ids), matched };
      }
      const found: FailedEmission[] = [];
      let matched = 0;
      for (let from = 0; ; from += PAGE) {
        const ids = await redis.zrangebyscore(failedKey, since, until, 'LIMIT', from, PAGE);
        const fitting = (await read(ids)).filter(({ reason }) => reason.startsWith(`${code}:`));
        found.push(...fitting.slice(0, limit - found.length));
        matched += fitting.length;
        if (ids.length < PAGE) return { found, matched };
      }
    },
  };

  async function readPages(ids: readonly string[]): Promise<FailedEmission[]> {
    const found: FailedEmission[] = [];
    for (let from = 0; from < ids.length; from += PAGE)
      found.push(...(await read(ids.slice(from, from + PAGE))));
    return found;
  }
}

/** A job that somebody else put there may hold anything. */
function parse(json: string): Record<string, string | undefined> {
  try {
    const data = JSON.parse(json) as unknown;
    return typeof data === 'object' && data !== null ? (data as Record<string, string>) : {};
  } catch {
    return {};
  }
}
