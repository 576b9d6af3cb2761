import type { FleetMetricsReading, QueueJobs } from '@appointment-emissions/contracts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { luaScript } from '../redis/script.ts';
import type { MetricsRedis } from './fleet/keys.ts';

/** Both queues together; the ages also of each queue. */
export type QueuesDepth = Omit<FleetMetricsReading['queue'], 'states'>;

/**
 * One queue. `oldestWaitingAgeMs` is the time since the next job was added, over all priorities and over delayed jobs that
 * are overdue; null if no job waits.
 */
export type QueueDepth = Omit<QueuesDepth, 'oldestLiveWaitingAgeMs' | 'oldestBulkWaitingAgeMs' | 'byQueue'>;

/** Counts by state, an age, then the keys that another program has damaged. */
type Reply = [number, number, number, number, number, number, ...string[]];

/** BullMQ's Queue, of which only the key names are used: it has no getter for the age of the oldest job. */
export interface QueueKeys {
  toKey: (type: string) => string;
}

const depthScript = luaScript(new URL('./queue-depth.lua', import.meta.url));

/** One round trip per queue, no scan. @throws if Redis is unavailable */
export async function readQueuesDepth(
  redis: MetricsRedis,
  queues: { live: QueueKeys; bulk: QueueKeys },
  reportDamage?: ReportDamage,
): Promise<QueuesDepth> {
  const [live, bulk] = await Promise.all([
    readQueueDepth(redis, queues.live, reportDamage),
    readQueueDepth(redis, queues.bulk, reportDamage),
  ]);
  const ages = [live.oldestWaitingAgeMs, bulk.oldestWaitingAgeMs].filter((age) => age !== null);
  return {
    waiting: live.waiting + bulk.waiting,
    prioritized: live.prioritized + bulk.prioritized,
    delayed: live.delayed + bulk.delayed,
    active: live.active + bulk.active,
    failed: live.failed + bulk.failed,
    oldestWaitingAgeMs: ages.length > 0 ? Math.max(...ages) : null,
    oldestLiveWaitingAgeMs: live.oldestWaitingAgeMs,
    oldestBulkWaitingAgeMs: bulk.oldestWaitingAgeMs,
    byQueue: { live: jobsOf(live), bulk: jobsOf(bulk) },
  };
}

/** Jobs with a priority wait too. */
function jobsOf({ waiting, prioritized, delayed, active, failed }: QueueDepth): QueueJobs {
  return { waiting: waiting + prioritized, delayed, active, failed };
}

/** Number of jobs of both queues that a worker could take now. @throws if Redis is unavailable */
export async function readBacklog(...of: Parameters<typeof readQueuesDepth>): Promise<number> {
  const { waiting, prioritized } = await readQueuesDepth(...of);
  return waiting + prioritized;
}

export interface WatchDepthDeps {
  redis: MetricsRedis;
  queues: { live: QueueKeys; bulk: QueueKeys };
  /** Number of waiting emissions with which the queues are full. */
  maxDepth: number;
  everyMs: number;
}

/**
 * Knows whether the queues are full. Their depth is read at intervals, not for each request. While Redis does not answer,
 * they count as not full: adding a job then fails by itself.
 */
export function watchDepth({ redis, queues, maxDepth, everyMs }: WatchDepthDeps): {
  isFull: () => boolean;
  close: () => void;
} {
  let depth = 0;
  const update = async (): Promise<void> => {
    const { waiting, prioritized, delayed } = await readQueuesDepth(redis, queues);
    depth = waiting + prioritized + delayed;
  };
  const timer = setInterval(() => {
    update().catch(() => {
      depth = 0;
    });
  }, everyMs);
  return {
    isFull: () => depth >= maxDepth,
    close() {
      clearInterval(timer);
    },
  };
}

/** One round trip, no scan. A test compares the key layout with BullMQ's. @throws if Redis is unavailable */
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
