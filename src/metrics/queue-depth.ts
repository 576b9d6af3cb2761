import type { FleetMetricsReading, QueueJobs } from '@appointment-emissions/contracts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { within } from '../process/lifecycle.ts';
import { luaScript } from '../redis/script.ts';
import type { MetricsRedis } from './fleet/keys.ts';
import { readAvailable } from '../batching.ts';

/** All queues together; the ages also of the live and the bulk queues. */
export type QueuesDepth = Omit<FleetMetricsReading['queue'], 'states'>;

/**
 * One queue. `oldestWaitingAgeMs` is the time since the next job was added, over all priorities and over delayed jobs that
 * are overdue; null if no job waits.
 */
export type QueueDepth = Omit<
  QueuesDepth,
  'oldestLiveWaitingAgeMs' | 'oldestBulkWaitingAgeMs' | 'byQueue' | 'shards'
>;

/** Counts by state, an age, then the keys that another program has damaged. */
type Reply = [number, number, number, number, number, number, ...string[]];

/** BullMQ's Queue, of which only the key names are used: it has no getter for the age of the oldest job. */
export interface QueueKeys {
  toKey: (type: string) => string;
}

const depthScript = luaScript(new URL('./queue-depth.lua', import.meta.url));

/** The queues of a shard. */
export interface ShardKeys {
  live: QueueKeys;
  bulk: QueueKeys;
}

/**
 * One round trip per queue, no scan. Shards that cannot be read count as empty.
 * @throws if none can be read
 */
export async function readQueuesDepth(
  redis: MetricsRedis,
  shards: readonly ShardKeys[],
  reportDamage?: ReportDamage,
): Promise<QueuesDepth> {
  const read = await readShards(shards, async (queues) => {
    const [live, bulk] = await Promise.all([
      readQueueDepth(redis, queues.live, reportDamage),
      readQueueDepth(redis, queues.bulk, reportDamage),
    ]);
    return { live, bulk };
  });
  const found = read.filter((shard) => shard !== undefined);
  const live = addUpDepths(found.map((shard) => shard.live));
  const bulk = addUpDepths(found.map((shard) => shard.bulk));
  return {
    ...addUpDepths([live, bulk]),
    oldestLiveWaitingAgeMs: live.oldestWaitingAgeMs,
    oldestBulkWaitingAgeMs: bulk.oldestWaitingAgeMs,
    byQueue: { live: jobsOf(live), bulk: jobsOf(bulk) },
    shards: read.map((depths, shard) => {
      const sum = depths && addUpDepths([depths.live, depths.bulk]);
      return { shard, jobs: sum ? jobsOf(sum) : null, oldestWaitingAgeMs: sum?.oldestWaitingAgeMs ?? null };
    }),
  };
}

/** Cluster clients repeat commands to a node that is down. */
const SHARD_LIMIT_MS = 1_000;

/** Reads each shard. `undefined` for one that cannot be read in time. @throws if none can be read */
export function readShards<Shard, T>(
  shards: readonly Shard[],
  read: (shard: Shard) => Promise<T>,
): Promise<(T | undefined)[]> {
  return readAvailable(shards, (shard) => within(SHARD_LIMIT_MS, 'the queues of a shard', read(shard)));
}

function addUpDepths(depths: readonly QueueDepth[]): QueueDepth {
  const sum = (state: Exclude<keyof QueueDepth, 'oldestWaitingAgeMs'>): number =>
    depths.reduce((total, depth) => total + depth[state], 0);
  const ages = depths.map((depth) => depth.oldestWaitingAgeMs).filter((age) => age !== null);
  return {
    waiting: sum('waiting'),
    prioritized: sum('prioritized'),
    delayed: sum('delayed'),
    active: sum('active'),
    failed: sum('failed'),
    oldestWaitingAgeMs: ages.length > 0 ? Math.max(...ages) : null,
  };
}

/** Jobs with a priority wait too. */
function jobsOf({ waiting, prioritized, delayed, active, failed }: QueueDepth): QueueJobs {
  return { waiting: waiting + prioritized, delayed, active, failed };
}

/** Number of jobs that a worker could take now. @throws as {@link readQueuesDepth} */
export async function readBacklog(...of: Parameters<typeof readQueuesDepth>): Promise<number> {
  const { waiting, prioritized } = await readQueuesDepth(...of);
  return waiting + prioritized;
}

export interface WatchDepthDeps {
  redis: MetricsRedis;
  shards: () => readonly ShardKeys[];
  /** Number of waiting emissions with which the queues are full. */
  maxDepth: number;
  everyMs: number;
}

/**
 * Knows whether the queues are full. Their depth is read at intervals, not for each request. While Redis does not answer,
 * they count as not full: adding a job then fails by itself.
 */
export function watchDepth({ redis, shards, maxDepth, everyMs }: WatchDepthDeps): {
  isFull: () => boolean;
  close: () => void;
} {
  let depth = 0;
  const update = async (): Promise<void> => {
    const { waiting, prioritized, delayed } = await readQueuesDepth(redis, shards());
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
