import { type Id, QUEUES } from '@appointment-emissions/contracts';
import { AppError } from '../errors.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { ifOwnType } from '../redis/redis-errors.ts';
import { luaScript } from '../redis/script.ts';
import { closeQueues, type EmissionQueues, openQueues, type OpenQueuesOptions } from './open-queues.ts';
import { createShardPlan, MAX_SHARDS } from './shard-plan.ts';

/** A part of the companies, with queues of its own. On a Cluster the shards lie on different masters. */
export interface Shard extends EmissionQueues {
  /** From 0. */
  index: number;
  /** Of its keys, in braces. */
  prefix: string;
}

/**
 * The shards that may have jobs: those of `QUEUE_SHARDS`, and those that another process has or had. Their number is in Redis, so
 * that processes with different settings process each other's jobs, and the jobs of a shard that is no longer used.
 */
export interface Shards {
  /** Shard 0. It also has the canaries. */
  first: Shard;
  /** In order. Others may follow. */
  all: () => readonly Shard[];
  /** The shard of a company's new jobs. Shard 0 until the number in Redis includes this process' shards. */
  of: (companyId: Id) => Shard;
  /** Calls back for each shard, now or when it is opened. */
  each: (use: (shard: Shard) => void) => void;
  /** Reads the number in Redis now. @throws if Redis is unavailable; AppError if the number is damaged and `registers` is false */
  update: () => Promise<void>;
  /** The last of the shards in Redis, if this process adds no jobs to it. */
  lastUnused: () => Shard | undefined;
  /** Takes the last shard out of the number in Redis. False if another process has changed the number. @throws if Redis is unavailable */
  retire: (last: Shard) => Promise<boolean>;
  close: () => Promise<void>;
}

export interface OpenShardsOptions extends Omit<OpenQueuesOptions, 'shard'> {
  redis: RedisClient;
  /** `QUEUE_SHARDS`. */
  shards: number;
  /** False: a command, which opens the shards of the number in Redis and does not change it. Default true. */
  registers?: boolean | undefined;
  reportDamage: ReportDamage;
}

const UPDATE_EVERY_MS = 5_000;

const registerScript = luaScript(new URL('./register-shards.lua', import.meta.url));
const lowerScript = luaScript(new URL('./lower-shards.lua', import.meta.url));

/** Opens the shards of this process at once, and others within five seconds after another process used them. */
export function openShards(options: OpenShardsOptions): Shards {
  const { redis, prefix, shards, registers = true, reportDamage } = options;
  const plan = createShardPlan(prefix);
  const key = `${prefix}:shards`;
  const users: ((shard: Shard) => void)[] = [];
  const open: Shard[] = [];
  /** The number in Redis, as of the last update. */
  let known = 0;

  const first = openNext();
  if (registers) openUpTo(shards);

  function openNext(): Shard {
    const index = open.length;
    const own = plan.prefixOf(index);
    const shard = { index, prefix: own, ...openQueues({ ...options, prefix: own, shard: index }) };
    open.push(shard);
    for (const use of users) use(shard);
    return shard;
  }

  function openUpTo(count: number): void {
    while (open.length < count) openNext();
  }

  async function update(): Promise<void> {
    const found = await (registers ? register(redis, key, open.slice(0, shards)) : readNumber(redis, key));
    if (found < 0) reportDamage('shards', { key });
    known = Math.max(found, 0);
    openUpTo(known);
  }

  // The outage of Redis is logged by its connection.
  const updateLater = (): void => void update().catch(() => undefined);
  const timer = setInterval(updateLater, UPDATE_EVERY_MS);
  redis.on('ready', updateLater);
  if (redis.status === 'ready') updateLater();
  return {
    first,
    all: () => open,
    of: (companyId) => open[known >= shards ? plan.shardOf(companyId, shards) : 0] ?? first,
    each(use) {
      users.push(use);
      open.forEach(use);
    },
    update,
    lastUnused: () => (known > shards ? open[known - 1] : undefined),
    async retire({ index }) {
      const isLower = (await lowerScript(redis, [key], [index + 1])) === 1;
      if (isLower) known = index;
      return isLower;
    },
    async close() {
      clearInterval(timer);
      redis.off('ready', updateLater);
      await Promise.all(open.map(closeQueues));
    },
  };
}

/**
 * Pauses or resumes the queues of added shards as those of shard 0: an operator who pauses a queue pauses it in all shards, also in
 * those that are added later, or that were retired before.
 */
async function copyPauses(first: Shard | undefined, added: readonly Shard[]): Promise<void> {
  if (!first || added.length === 0) return;
  for (const name of QUEUES) {
    const isPaused = await first[name].isPaused();
    for (const { [name]: queue } of added)
      if ((await queue.isPaused()) !== isPaused) await (isPaused ? queue.pause() : queue.resume());
  }
}

/** Raises the number in Redis to that of these shards. @returns the number; below 0 if it was damaged */
async function register(redis: RedisClient, key: string, own: readonly Shard[]): Promise<number> {
  const before = Number((await ifOwnType(redis.get(key))) ?? 1) || 1;
  const added = own.slice(before);
  await copyPauses(own[0], added);
  const found = Number(await registerScript(redis, [key], [own.length, MAX_SHARDS]));
  // Again: a command that paused the queues meanwhile did not know these shards.
  await copyPauses(own[0], added);
  return found;
}

/** The number in Redis, which is missing while there is one shard. @throws AppError if another program has changed it */
async function readNumber(redis: RedisClient, key: string): Promise<number> {
  const found = await redis.get(key).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return 'of another type';
    throw error;
  });
  if (found === null) return 1;
  const number = /^\d+$/.test(found) ? Number(found) : 0;
  if (number >= 1 && number <= MAX_SHARDS) return number;
  throw new AppError(
    'QUEUE_UNAVAILABLE',
    `the number of shards in Redis is damaged: delete the key ${key}, and the service stores it again within 5 s`,
  );
}
