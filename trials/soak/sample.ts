import { loadavg } from 'node:os';
import type { Testbed } from '../chaos/testbed.ts';
import type { World } from '../../test/harness/world.ts';
import { openFiles, type createMemoryReader } from '../../test/harness/memory.ts';
import { type LatencyProbe, percentile } from './latency.ts';

/** Probes of the measured API, and of the deployment, whose APIs are young. */
export type LatencyProbes = Record<'measured' | 'deployed', LatencyProbe>;

/**
 * Measures the first worker and the first API, which run for the whole soak, Redis and the latency.
 * @returns values by series, such as `API: heap in use, MB`
 * @throws if a fault prevents the measurement
 */
export async function measureOnce(
  { fleet, world }: Testbed,
  memory: ReturnType<typeof createMemoryReader>,
  probes: LatencyProbes,
): Promise<Record<string, number>> {
  const values: Record<string, number> = {};
  const watched = [
    ['API', fleet.gateways[0]?.process?.pid],
    ['worker', fleet.workers[0]?.process?.pid],
  ] as const;
  for (const [role, pid] of watched) {
    if (pid === undefined) throw new Error(`the measured ${role} has exited`);
    const { rss, heapUsed } = await memory.read(pid);
    values[`${role}: memory (RSS), MB`] = rss / 1e6;
    values[`${role}: heap in use, MB`] = heapUsed / 1e6;
    values[`${role}: files and sockets open`] = openFiles(pid);
  }
  const [info, keyspace] = await Promise.all([world.redis.info('memory'), world.redis.info('keyspace')]);
  const [, keys, expiring] = /keys=(\d+),expires=(\d+)/.exec(keyspace) ?? [];
  values['Redis: keys'] = Number(keys);
  values['Redis: keys without expiry'] = Number(keys) - Number(expiring);
  const usedMb = Number(/used_memory:(\d+)/.exec(info)?.[1]) / 1e6;
  values['Redis: memory in use, MB'] = usedMb;
  values['Redis: memory without the last ids, MB'] = usedMb - (await memoryOfLastIds(world)) / 1e6;
  Object.assign(values, latencyOf(probes));
  values['machine: load average'] = loadavg()[0]!;
  return values;
}

/** Other programs delay both probes alike. So only their ratio can tell whether an API becomes slower as it grows old. */
function latencyOf({ measured, deployed }: LatencyProbes): Record<string, number> {
  const [old, young] = [measured.take(), deployed.take()];
  if (old.length === 0 || young.length === 0) return {};
  const medians = [percentile(old, 0.5), percentile(young, 0.5)] as const;
  return {
    'latency: median, ms': medians[0],
    'latency: p99, ms': percentile(old, 0.99),
    'latency: median of the deployment, ms': medians[1],
    'latency: median / median of the deployment': medians[0] / medians[1],
  };
}

/** Memory of the last emission ids in bytes: 200 for each emission of a day, so it rises in any run of less than a day. */
async function memoryOfLastIds({ env, redis }: World): Promise<number> {
  const keys = await keysOf(redis, `${env['QUEUE_PREFIX']!}:recent:*`);
  const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 50)));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/** Counts the keys in Redis by kind. A kind is a key without its ids, numbers and hash tag. */
export async function countKeys({ redis }: World): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const key of await keysOf(redis, '*')) {
    const kind = key.replace(/^\{[^}]*\}/, '').replace(/[0-9a-f-]{20,}|\d+/g, '…');
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** The keys that match a pattern, each once. */
export async function keysOf(redis: World['redis'], pattern: string): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000);
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found];
}
