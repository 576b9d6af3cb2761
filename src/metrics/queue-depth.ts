import { luaScript } from '../redis-script.ts';
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

const depthScript = luaScript(new URL('./queue-depth.lua', import.meta.url));

/**
 * One round trip, no scan. The layout of BullMQ's keys is tested against BullMQ itself.
 * @param deps.queue BullMQ's Queue; only its key names are used, the query goes over `redis`
 */
export async function readQueueDepth({
  redis,
  queue,
}: {
  redis: MetricsRedis;
  queue: { toKey: (type: string) => string };
}): Promise<QueueDepth> {
  const keys = ['wait', 'prioritized', 'delayed', 'active', 'failed'].map((type) => queue.toKey(type));
  const reply = (await depthScript(redis, keys, [queue.toKey('')])) as number[];
  const [waiting = 0, prioritized = 0, delayed = 0, active = 0, failed = 0, age = -1] = reply;
  const oldestWaitingAgeMs = age < 0 ? null : age;
  return { waiting, prioritized, delayed, active, failed, oldestWaitingAgeMs };
}
