import type { Testbed } from '../chaos/testbed.ts';
import type { World } from '../../test/harness/world.ts';
import { openFiles, type createMemoryReader } from '../../test/harness/memory.ts';
import type { Measurement } from './slope.ts';

/** Measurements over the run, by series name, such as `API: heap in use, MB`. */
export type Lines = Map<string, Measurement[]>;

/**
 * Measures the first worker and the first API, which run for the whole soak, and Redis.
 * @throws if a fault prevents the measurement
 */
export async function sampleOnce(
  { fleet, world }: Testbed,
  memory: ReturnType<typeof createMemoryReader>,
  lines: Lines,
  minutes: number,
): Promise<void> {
  const note = (name: string, value: number): void => {
    const line = lines.get(name) ?? [];
    lines.set(name, line);
    line.push({ minutes, value });
  };
  const watched = [
    ['API', fleet.gateways[0]?.process?.pid],
    ['worker', fleet.workers[0]?.process?.pid],
  ] as const;
  for (const [role, pid] of watched) {
    if (pid === undefined) throw new Error(`the measured ${role} has exited`);
    const { rss, heapUsed } = await memory.read(pid);
    note(`${role}: memory (RSS), MB`, rss / 1e6);
    note(`${role}: heap in use, MB`, heapUsed / 1e6);
    note(`${role}: files and sockets open`, openFiles(pid));
  }
  const [keys, info] = await Promise.all([world.redis.dbsize(), world.redis.info('memory')]);
  note('Redis: keys', keys);
  note('Redis: memory in use, MB', Number(/used_memory:(\d+)/.exec(info)?.[1]) / 1e6);
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
