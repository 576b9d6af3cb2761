import type { Redis } from 'ioredis';
import { nodesOf, type RedisClient } from './connect.ts';
import { parseInfo, type RedisInfo } from './redis-info.ts';

/** Share of a limit of Redis above which the operator is warned. */
const NEARLY_FULL = 0.9;

/** Warnings for the operator about conditions that will cause errors or lose accepted emissions. */
export function warnOfInfo(info: RedisInfo): string[] {
  const warnings: string[] = [];
  if (info['aof_enabled'] === '0')
    warnings.push('Redis has no append-only file: a crash loses accepted emissions; set appendonly yes');
  if (info['aof_last_bgrewrite_status'] === 'err')
    warnings.push('Redis could not rewrite its append-only file: free space on its disk');
  if (info['rdb_last_bgsave_status'] === 'err')
    warnings.push(
      'Redis could not save its snapshot, and may refuse writes: see its log, free space on its disk',
    );
  if (isNearlyFull(info['used_memory'], info['maxmemory']))
    warnings.push(`Redis uses ${shareOf(info['used_memory'], info['maxmemory'])} of its maxmemory: raise it`);
  if (isNearlyFull(info['connected_clients'], info['maxclients']))
    warnings.push(
      `Redis has ${shareOf(info['connected_clients'], info['maxclients'])} of its maxclients connected: raise it`,
    );
  return warnings;
}

/** A warning if `current_history()` of current-history.lua cannot name the history of this server. */
export function warnOfHiddenHistory(info: RedisInfo): string[] {
  return info['master_replid'] || info['run_id']
    ? []
    : [
        'Redis hides master_replid and run_id in INFO: if it restarts with older data, dashboards can miss emissions; use a Redis that shows one of them',
      ];
}

/** Warnings of all nodes that reply. */
export async function warnOfRedis(redis: RedisClient): Promise<string[]> {
  const nodes = nodesOf(redis);
  const found = await Promise.all(nodes.map(async (node) => warnOfNode(node, nodes.length > 1)));
  return [...new Set(found.flat())];
}

async function warnOfNode(node: Redis, isNamed: boolean): Promise<string[]> {
  // Readiness reports a server that does not reply.
  const text = await node.info().catch(() => undefined);
  if (text === undefined) return [];
  const info = parseInfo(text);
  const of = isNamed ? ` (${node.options.host}:${node.options.port})` : '';
  return [...warnOfInfo(info), ...warnOfHiddenHistory(info)].map((words) => `${words}${of}`);
}

const isNearlyFull = (used?: string, most?: string): boolean =>
  Number(most) > 0 && Number(used) / Number(most) >= NEARLY_FULL;
const shareOf = (used?: string, most?: string): string =>
  `${Math.floor((100 * Number(used)) / Number(most))} %`;
