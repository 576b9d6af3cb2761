import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freeze } from '../../../test/harness/own-services.ts';
import type { WatchedRedis } from '../../../test/harness/own-sentinel.ts';
import { eventually } from '../../../test/harness/until.ts';
import type { ServiceHandle } from '../../../scripts/services/service.ts';
import type { Random } from '../random.ts';
import type { Clocks } from './clocks.ts';
import type { Link } from './link.ts';
import type { SmallDisk } from './small-disk.ts';

const MAX_REDIS_FREEZE_MS = 4_000;
const MIN_FAULT_MS = 200;
const MAX_NETWORK_MS = 8_000;
const MAX_AOF_FULL_MS = 4_000;
const SLOW_MS = { min: 1, max: 50 };
const MAX_JUMP_S = 3_600;
const REPAIRED_WITHIN_MS = 60_000;

/** Each resolves when the fault is repaired. */
export async function hitRedis(fault: string, redis: ServiceHandle, random: Random): Promise<void> {
  if (fault === 'redis frozen') {
    await redis.kill('SIGSTOP');
    await pause(random.between(MIN_FAULT_MS, MAX_REDIS_FREEZE_MS));
    await redis.kill('SIGCONT');
    return;
  }
  if (fault === 'redis killed') await redis.kill();
  await redis.restart();
}

/**
 * The disk of the AOF is full: Redis refuses every write. The repair rewrites the AOF: Valkey 9.1 leaves a hole of zeros in a file that it
 * began in a rewrite (it truncates a short write, but keeps its position), and would not load it after a restart.
 */
export async function fillAof(disk: SmallDisk, redis: ServiceHandle, random: Random): Promise<void> {
  disk.fill();
  await pause(random.between(MIN_FAULT_MS, MAX_AOF_FULL_MS));
  disk.free();
  await inspect(redis, 'the AOF to be written again', async (client) =>
    (await client.info('persistence')).includes('aof_last_write_status:ok'),
  );
  const rewrites = (info: string): number => Number(/aof_rewrites:(\d+)/.exec(info)?.[1]);
  let before: number | undefined;
  await inspect(redis, 'the AOF to be rewritten', async (client) => {
    const info = await client.info('persistence');
    const isIdle = info.includes('aof_rewrite_in_progress:0') && info.includes('aof_rewrite_scheduled:0');
    if (!isIdle) return false;
    if (before === undefined) {
      await client.bgrewriteaof();
      before = rewrites(info);
      return false;
    }
    return rewrites(info) > before && info.includes('aof_last_bgrewrite_status:ok');
  });
}

/** Another server becomes the master, and this one its replica. */
export async function hitMaster(fault: string, sentinels: WatchedRedis): Promise<void> {
  const before = await sentinels.master();
  if (fault === 'master killed') await before.kill();
  else if (fault === 'master frozen') await freeze(before);
  else await eventually('the sentinels to agree', sentinels.failOver, REPAIRED_WITHIN_MS);
  await eventually(
    'another master',
    async () => (await sentinels.master()).port !== before.port,
    REPAIRED_WITHIN_MS,
  );
  if (fault === 'master killed') await before.restart();
  else if (fault === 'master frozen') await before.kill('SIGCONT');
  await inspect(before, 'the former master to be a replica in sync', async (client) => {
    const info = await client.info('replication');
    return info.includes('role:slave') && info.includes('master_link_status:up');
  });
}

export async function hitLink(fault: string, link: Link, random: Random): Promise<void> {
  const ms = random.between(MIN_FAULT_MS, MAX_NETWORK_MS);
  switch (fault) {
    case 'requests partitioned':
      return link.partition('requests', ms);
    case 'replies partitioned':
      return link.partition('replies', ms);
    case 'network slow':
      return link.slow(() => random.between(SLOW_MS.min, SLOW_MS.max), ms);
    default:
      link.halfOpen(random.pick(['process', 'server']));
  }
}

export async function fillLog(disk: SmallDisk, random: Random): Promise<void> {
  disk.fill();
  await pause(random.between(MIN_FAULT_MS, MAX_NETWORK_MS));
  disk.free();
}

/** The clock jumps, and later jumps back. */
export async function jump(clocks: Clocks, slot: string, random: Random): Promise<void> {
  clocks.set(slot, random.between(-MAX_JUMP_S, MAX_JUMP_S));
  await pause(random.between(MIN_FAULT_MS, 2 * MAX_NETWORK_MS));
  clocks.set(slot, 0);
}

async function inspect(
  { url }: ServiceHandle,
  what: string,
  isRepaired: (client: Redis) => Promise<boolean>,
): Promise<void> {
  const client = new Redis(url, { replyMapping: 'legacy' });
  client.on('error', () => undefined);
  try {
    await eventually(what, () => isRepaired(client), REPAIRED_WITHIN_MS);
  } finally {
    client.disconnect();
  }
}
