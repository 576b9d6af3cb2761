import { loadavg } from 'node:os';
import type { Testbed } from '../chaos/testbed.ts';
import type { World } from '../../test/harness/world.ts';
import { openFiles, type createMemoryReader } from '../../test/harness/memory.ts';
import { type LatencyProbe, percentile } from './latency.ts';

/**
 * Measures the first worker and the first API, which run for the whole soak, Redis and the latency.
 * @returns values by series, such as `API: heap in use, MB`
 * @throws if a fault prevents the measurement
 */
export async function measureOnce(
  { fleet, world }: Testbed,
  memory: ReturnType<typeof createMemoryReader>,
  probe: LatencyProbe,
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
  values['Redis: memory in use, MB'] = Number(/used_memory:(\d+)/.exec(info)?.[1]) / 1e6;
  const latencies = probe.take();
  if (latencies.length > 0) {
    values['latency to the screen, median, ms'] = percentile(latencies, 0.5);
    values['latency to the screen, p99, ms'] = percentile(latencies, 0.99);
  }
  values['machine: load average'] = loadavg()[0]!;
  return values;
}

/** Counts the keys in Redis by kind. A kind is a key without its ids, numbers and hash tag. */
export async function countKeys({ redis }: World): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000);
    for (const key of keys) {
      const kind = key.replace(/^\{[^}]*\}/, '').replace(/[0-9a-f-]{20,}|\d+/g, '…');
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    cursor = next;
  } while (cursor !== '0');
  return counts;
}
