import type { Id } from '@appointment-emissions/contracts';
import { companyTag } from '../domain/company-log.ts';
import { keySlot, SLOTS } from '../redis/key-slot.ts';

/**
 * Divides a Cluster's slots into arcs, one for each shard. The queues of a shard and the keys of its companies lie in the same
 * arc: if the masters serve equal ranges, as `redis-cli --cluster create` makes them, a company needs one master only.
 */
export interface ShardPlan {
  /** Prefix of the queues of a shard: `{emissions}` for shard 0, `{emissions:shard:2:7}` for shard 2. It never changes. */
  prefixOf: (shard: number) => string;
  /** The shard of a company's new jobs. @param shards  `QUEUE_SHARDS` */
  shardOf: (companyId: Id, shards: number) => number;
}

/** Numbers of arcs. A Cluster has at least three masters. Each number divides the arcs of the number before. */
const ARCS = [1, 3, 6, 12, 24, 48] as const;
export const MAX_SHARDS = 48;

/** @param queuePrefix  `QUEUE_PREFIX`: the prefix of shard 0, and with it its arc */
export function createShardPlan(queuePrefix: string): ShardPlan {
  const firstSlot = keySlot(queuePrefix);
  /** By number of shards. */
  const owners = new Map<number, readonly number[]>();

  function ownersOf(shards: number): readonly number[] {
    const known = owners.get(shards) ?? shardsOfArcs(shards, firstSlot);
    owners.set(shards, known);
    return known;
  }

  return {
    prefixOf: (shard) => (shard === 0 ? queuePrefix : findPrefix(queuePrefix, shard, firstSlot)),
    shardOf(companyId, shards) {
      if (shards === 1) return 0;
      const arcs = ownersOf(shards);
      return arcs[arcOf(keySlot(companyTag(queuePrefix, companyId)), arcs.length)] ?? 0;
    },
  };
}

const arcOf = (slot: number, arcs: number): number => Math.floor((slot * arcs) / SLOTS);

/**
 * Which of `arcs` arcs a shard has. Shards 0 to 2 lie a third of the slots apart, shards 3 to 5 halve their arcs, and so on: so a shard
 * keeps its place if shards are added.
 */
function arcOfShard(shard: number, firstSlot: number, arcs: number): number {
  const first = arcOf(firstSlot, arcs);
  if (arcs === 1) return first;
  const perThird = arcs / 3;
  const third = (Math.floor(first / perThird) + shard) % 3;
  let half = first % perThird;
  for (let [bits, bit] = [Math.floor(shard / 3), perThird / 2]; bits > 0; bits >>= 1, bit /= 2)
    if ((bits & 1) === 1) half ^= bit;
  return third * perThird + half;
}

/** The shard of each arc. If a number of shards has no arcs of its own, such as 4, some shards have two. */
function shardsOfArcs(shards: number, firstSlot: number): number[] {
  const arcs = ARCS.find((number) => number >= shards) ?? MAX_SHARDS;
  const ofArcs = Array.from({ length: arcs }, () => 0);
  for (let shard = 0; shard < arcs; shard += 1) {
    // The arc of a missing shard belongs to the shard whose arc it halves, or to shard 0.
    const halved = arcs === 3 ? 0 : shard - arcs / 2;
    ofArcs[arcOfShard(shard, firstSlot, arcs)] = shard < shards ? shard : halved;
  }
  return ofArcs;
}

/** Tries numbers until the hash tag lies in the shard's arc: about 48. */
function findPrefix(queuePrefix: string, shard: number, firstSlot: number): string {
  const arc = arcOfShard(shard, firstSlot, MAX_SHARDS);
  for (let number = 0; ; number += 1) {
    const prefix = `{${queuePrefix.slice(1, -1)}:shard:${shard}:${number}}`;
    if (arcOf(keySlot(prefix), MAX_SHARDS) === arc) return prefix;
  }
}
