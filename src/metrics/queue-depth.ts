import type { ReportDamage } from '../process/damaged-data.ts';
import { luaScript } from '../redis/script.ts';
import type { MetricsRedis } from './writer-deps.ts';

export interface QueueDepth {
  waiting: number;
  prioritized: number;
  /** In backoff after a failed attempt, or held back on purpose. */
  delayed: number;
  active: number;
  failed: number;
  /**
   * Age of the job next in line, since it was made, over every priority and over delayed jobs that are overdue; null
   * when none waits.
   */
  oldestWaitingAgeMs: number | null;
}

/** Counts by state, an age, then the keys that another program has damaged. */
type Reply = [number, number, number, number, number, number, ...string[]];

const depthScript = luaScript(new URL('./queue-depth.lua', import.meta.url));

/** BullMQ's Queue; only its key names are used. */
export interface QueueKeys {
  toKey: (type: string) => string;
}

/** Of both queues together; the ages also of each. */
export interface QueuesDepth extends QueueDepth {
  /** Somebody waits for these. */
  oldestLiveWaitingAgeMs: number | null;
  /** Of batches, repairs, and what the sweep found. */
  oldestBulkWaitingAgeMs: number | null;
}

/** One round trip, no scan. @throws when Redis is away */
export async function readQueuesDepth(
  redis: MetricsRedis,
  { live, bulk }: { live: QueueKeys; bulk: QueueKeys },
  reportDamage?: ReportDamage,
): Promise<QueuesDepth> {
  const [one, other] = await Promise.all([
    readQueueDepth(redis, live, reportDamage),
    readQueueDepth(redis, bulk, reportDamage),
  ]);
  const ages = [one.oldestWaitingAgeMs, other.oldestWaitingAgeMs].filter((age) => age !== null);
  return {
    waiting: one.waiting + other.waiting,
    prioritized: one.prioritized + other.prioritized,
    delayed: one.delayed + other.delayed,
    active: one.active + other.active,
    failed: one.failed + other.failed,
    oldestWaitingAgeMs: ages.length > 0 ? Math.max(...ages) : null,
    oldestLiveWaitingAgeMs: one.oldestWaitingAgeMs,
    oldestBulkWaitingAgeMs: other.oldestWaitingAgeMs,
  };
}

/** One round trip, no scan. The layout of BullMQ's keys is tested against BullMQ itself. */
export async function readQueueDepth(
  redis: MetricsRedis,
  queue: QueueKeys,
  reportDamage?: ReportDamage,
): Promise<QueueDepth> {
  const keys = ['wait', 'prioritized', 'delayed', 'active', 'failed'].map((type) => queue.toKey(type));
  const reply = (await depthScript(redis, keys, [queue.toKey('')])) as Reply;
  const [waiting, prioritized, delayed, active, failed, age, ...damaged] = reply;
  for (const key of damaged) reportDamage?.('queue', { key });
  const oldestWaitingAgeMs = age < 0 ? null : age;
  return { waiting, prioritized, delayed, active, failed, oldestWaitingAgeMs };
}
