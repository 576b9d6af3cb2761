import type { Queue } from 'bullmq';
import type { CompanyOverShare, Id } from '@appointment-emissions/contracts';
import { createRecentCounts, mostEmissions } from '../domain/recent-counts.ts';
import type { RedisClient } from '../redis/connect.ts';
import { MAX_TURN, PRIORITY } from './retry-policy.ts';

/**
 * Shares the queues between companies, so that none delays another. Each company has a rate of live emissions. What exceeds it
 * goes to the bulk queue, where companies take turns: the priority of a job counts the jobs of its company that wait before it.
 * Rate and counts are those of this process.
 */
export interface CompanyShare {
  /** Whether the company's next live emission exceeds its rate. */
  isOver: (companyId: Id) => boolean;
  /** Whether the company has used up half of its burst: workers then run its live emissions. */
  isNearLimit: (companyId: Id) => boolean;
  /** The BullMQ priority of an emission that is enqueued now; `PRIORITY.live` means the live queue. @param priority  one of `PRIORITY` */
  priorityFor: (companyId: Id, priority: number) => number;
  /** The companies with the most live emissions that went to the bulk queue in the last one to two minutes, at most ten. */
  mostOver: () => CompanyOverShare[];
}

type BulkQueue = Pick<Queue, 'toKey'>;

export interface CompanyShareDeps {
  maxLivePerSecond: number;
  /** The bulk queue of a company. Companies of one queue take turns. */
  bulkQueueOf: (companyId: Id) => BulkQueue;
  /** The first priority that waits in a bulk queue at or after `priority`, and before `end`; `undefined` if none does. */
  readNextPriority: (queue: BulkQueue, priority: number, end: number) => Promise<number | undefined>;
  /** Called for each live emission that goes to the bulk queue. */
  onOver: () => void;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** A company may use this time's worth of its rate at once. */
const BURST_MS = 500;
const REFRESH_MS = 1_000;

/** The turns of the companies in one class of a bulk queue: batch, capture, repair or sweep. */
interface Turns {
  /** The turn that the queue has reached, as of the last refresh. */
  reached: number;
  /** The last turn of each company whose jobs may wait. */
  last: Map<Id, number>;
  /** Companies that got a turn since the last refresh began. */
  recent: Set<Id>;
  refreshedAt: number;
}

const createTurns = (): Turns => ({
  reached: 0,
  last: new Map(),
  recent: new Set(),
  refreshedAt: -Infinity,
});

export function createCompanyShare({
  maxLivePerSecond,
  bulkQueueOf,
  readNextPriority,
  onOver,
  now = () => performance.now(),
}: CompanyShareDeps): CompanyShare {
  const everyMs = 1_000 / maxLivePerSecond;
  const limiter = createLimiter(everyMs, Math.max(BURST_MS, everyMs));
  const turnsOf = new Map<BulkQueue, Map<number, Turns>>();
  const counts = createRecentCounts();

  /** In the background: turns that are a second old are only a little unfair. */
  async function refresh(queue: BulkQueue, priority: number, turns: Turns): Promise<void> {
    turns.refreshedAt = now();
    turns.recent = new Set();
    const next = await readNextPriority(queue, priority, priority + MAX_TURN + 1);
    turns.reached = next === undefined ? 0 : next - priority;
    for (const [companyId, turn] of turns.last) {
      const isServed = next === undefined || turn < turns.reached;
      if (isServed && !turns.recent.has(companyId)) turns.last.delete(companyId);
    }
  }

  function nextPriority(companyId: Id, priority: number): number {
    const queue = bulkQueueOf(companyId);
    const classes = turnsOf.get(queue) ?? new Map<number, Turns>();
    const turns = classes.get(priority) ?? createTurns();
    turnsOf.set(queue, classes.set(priority, turns));
    // While Redis is unavailable the turns stay as they are.
    if (now() - turns.refreshedAt >= REFRESH_MS) refresh(queue, priority, turns).catch(() => undefined);
    const turn = Math.min(Math.max((turns.last.get(companyId) ?? -1) + 1, turns.reached), MAX_TURN);
    turns.last.set(companyId, turn);
    turns.recent.add(companyId);
    return priority + turn;
  }

  return {
    isOver: (companyId) => limiter.isOver(companyId, now()),
    isNearLimit: (companyId) => limiter.isNear(companyId, now()),
    priorityFor(companyId, priority) {
      if (priority !== PRIORITY.live) return nextPriority(companyId, priority);
      if (limiter.take(companyId, now())) return PRIORITY.live;
      counts.add(companyId, now());
      onOver();
      return nextPriority(companyId, PRIORITY.batch);
    },
    mostOver: () => mostEmissions(counts.read(now())),
  };
}

/** Score of a waiting job in BullMQ: its priority times this, plus a counter. */
const SCORE_PER_PRIORITY = 2 ** 32;

/** Reads BullMQ's set of waiting jobs, which has no getter for a range of priorities. */
export function createReadNextPriority(redis: RedisClient): CompanyShareDeps['readNextPriority'] {
  return async (queue, priority, end) => {
    const range = [priority * SCORE_PER_PRIORITY, `(${end * SCORE_PER_PRIORITY}`] as const;
    const reply = await redis.zrangebyscore(
      queue.toKey('prioritized'),
      ...range,
      'WITHSCORES',
      'LIMIT',
      0,
      1,
    );
    const score = Number(reply[1]);
    return Number.isFinite(score) ? Math.floor(score / SCORE_PER_PRIORITY) : undefined;
  };
}

/** A rate for each company: `readyAt` is when the company has used up nothing of its rate. */
function createLimiter(everyMs: number, burstMs: number) {
  const readyAt = new Map<Id, number>();
  let prunedAt = 0;

  function prune(at: number): void {
    if (at - prunedAt < REFRESH_MS) return;
    prunedAt = at;
    for (const [companyId, ready] of readyAt) if (ready <= at) readyAt.delete(companyId);
  }
  const isOver = (companyId: Id, at: number): boolean =>
    Math.max(readyAt.get(companyId) ?? 0, at) + everyMs > at + burstMs;

  return {
    isOver,
    // With a low rate one emission uses up more than half.
    isNear: (companyId: Id, at: number): boolean =>
      (readyAt.get(companyId) ?? 0) > at + Math.max(burstMs / 2, everyMs),
    take(companyId: Id, at: number): boolean {
      prune(at);
      if (isOver(companyId, at)) return false;
      readyAt.set(companyId, Math.max(readyAt.get(companyId) ?? 0, at) + everyMs);
      return true;
    },
  };
}
