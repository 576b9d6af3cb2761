import { Cluster, type Redis } from 'ioredis';
import type { Connection } from 'mongoose';
import { readAvailable } from '../../batching.ts';
import type { HealthStatus } from '../../domain/health-status.ts';
import type { RedisClient } from '../../redis/connect.ts';
import { within } from '../../process/lifecycle.ts';
import { describeAccessError, isAccessError, watchAccessError } from '../../redis/access-errors.ts';
import { parseInfo, whyNoWrites } from '../../redis/redis-info.ts';

const CHECK_LIMIT_MS = 1_000;
/** A Cluster repeats commands to a node that is down. */
const SHARD_LIMIT_MS = 950;

/** MongoDB answers a ping. */
export function checkMongo(connection: Connection): () => Promise<HealthStatus> {
  return guarded('MongoDB', async () => {
    if (!connection.db) return { ok: false, detail: 'not connected' };
    await connection.db.command({ ping: 1 });
    return { ok: true };
  });
}

/**
 * Redis answers, on a Cluster where the queues of a shard lie, and no node evicts: with any other policy than `noeviction` it may
 * drop jobs, also a node that is still a replica. Unreachable other nodes and shards are named in `detail` but do not
 * fail the check.
 * @param queueKeys  any key of each shard's queues
 */
export function checkRedis(
  redis: RedisClient,
  queueKeys: () => readonly string[],
): () => Promise<HealthStatus> {
  const refusal = watchAccessError(redis);
  return guarded('Redis', async () => {
    const refused = refusal();
    if (refused !== undefined) return { ok: false, detail: refused };
    const nodes = redis instanceof Cluster ? redis.nodes() : [redis];
    const keys = queueKeys();
    const [found, replies] = await Promise.all([
      Promise.all(nodes.map((node) => stateOf(node, redis instanceof Cluster))),
      readAvailable(keys, (key) => within(SHARD_LIMIT_MS, 'the queue', redis.exists(key))),
    ]);
    const which = (node: string): string => (nodes.length > 1 ? ` on ${node}` : '');
    const evicting = found.flatMap(({ node, policy }) =>
      policy === undefined || policy === 'noeviction' ? [] : `maxmemory-policy is ${policy}${which(node)}`,
    );
    if (evicting.length > 0) {
      return { ok: false, detail: `${evicting.join(', ')}: set it to noeviction, or jobs can be lost` };
    }
    const refusing = found.flatMap(({ node, refuses }) =>
      refuses === undefined ? [] : `Redis rejects writes${which(node)}: ${refuses}`,
    );
    if (refusing.length > 0) return { ok: false, detail: refusing.join(', ') };
    const silent = [
      ...found.flatMap(({ node, answers }) => (answers ? [] : node)),
      ...replies.flatMap((reply, shard) => (reply === undefined ? `shard ${shard}` : [])),
    ];
    return { ok: true, ...(silent.length > 0 && { detail: `no answer from ${silent.join(', ')}` }) };
  });
}

async function stateOf(
  server: Redis,
  isOfCluster: boolean,
): Promise<{ node: string; answers: boolean; policy: string | undefined; refuses: string | undefined }> {
  const node = `${server.options.host}:${server.options.port}`;
  const text = await server.info().catch((error: unknown) => {
    if (isAccessError(error)) throw error;
    return undefined;
  });
  const info = parseInfo(text ?? '');
  const refuses = whyNoWrites(info, isOfCluster);
  return { node, answers: text !== undefined, policy: info['maxmemory_policy'], refuses };
}

function guarded(what: string, check: () => Promise<HealthStatus>): () => Promise<HealthStatus> {
  return async () => {
    try {
      return await within(CHECK_LIMIT_MS, `${what}'s answer`, check());
    } catch (error) {
      return { ok: false, detail: describeAccessError(error) };
    }
  };
}
