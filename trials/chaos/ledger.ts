import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { World } from '../../test/harness/world.ts';

export interface Ledger {
  /** Registers an emission for which a 202 was received. */
  recordAccepted: (emissionId: string) => void;
  readonly acceptedCount: number;
  /** Accepted, but not yet known to be published, failed or lost. */
  readonly open: ReadonlySet<string>;
  /** Ids of jobs that disappeared from Redis before their outcome was observed. */
  readonly lost: ReadonlySet<string>;
  /** Failed jobs with their failure reasons. */
  readonly failed: ReadonlyMap<string, string>;
  readonly publishedCount: number;
  /** The largest number of attempts of a published emission. */
  readonly maxAttempts: number;
  /**
   * Searches the workers' log files for lost ids and counts those found as published. The queue may remove a finished job before
   * the ledger reads it: a repeated call can return the id of a job that finished long ago, and after a job of a worker whose clock
   * is ahead, BullMQ keeps that one instead of newer ones.
   */
  checkLogForLost: () => Promise<void>;
  /** Resolves when every emission that is open now has been published, has failed or is lost. */
  settled: () => Promise<void>;
  /** Retries all failed jobs, as an operator would. Resolves to their number. */
  retryFailed: () => Promise<number>;
  close: () => Promise<void>;
}

/** Called once for each emission that was published, and each time that one fails. */
type OnEnded = (emissionId: string, outcome: 'published' | 'failed') => void;

const POLL_INTERVAL_MS = 250;
const CHUNK = 1_000;
/** Part of the log line of each published emission. */
const EMITTED = '[InternalSocket] Emitted ';

/**
 * Follows the job of each accepted emission until it is published, failed or lost. It polls often enough to observe each job
 * before the queue removes it: the queue keeps thousands of completed jobs.
 */
export function createLedger(world: World, onEnded: OnEnded = () => undefined): Ledger {
  const queues = world.shards.flatMap(({ live, bulk }) => [live, bulk]);
  const open = new Set<string>();
  const lost = new Set<string>();
  const failed = new Map<string, string>();
  let [acceptedCount, publishedCount, maxAttempts] = [0, 0, 0];
  let closed = false;
  const isClosed = () => closed;
  const onNextPoll: (() => void)[] = [];

  async function poll(): Promise<void> {
    const ids = [...open];
    for (let from = 0; from < ids.length; from += CHUNK) {
      const chunk = ids.slice(from, from + CHUNK);
      const found = await Promise.all(queues.map((queue) => readJobs(queue, chunk)));
      chunk.forEach((id, index) => {
        const jobs = found.map((rows) => rows[index]).filter((job) => job !== undefined);
        // Redis is unavailable: the next poll reads it again.
        if (jobs.length < queues.length || jobs.some(([error]) => error)) return;
        const fields = jobs.map(([, fields]) => fields as (string | null)[]);
        note(id, fields.find(([data]) => data !== null) ?? fields[0]!);
      });
    }
  }

  /** In one pipeline, since the jobs of a queue are on one node of a Cluster. */
  async function readJobs(queue: Queue, ids: readonly string[]) {
    const pipeline = world.redis.pipeline();
    for (const id of ids)
      pipeline.hmget(queue.toKey(id), 'data', 'finishedOn', 'returnvalue', 'failedReason', 'atm');
    return (await pipeline.exec()) ?? [];
  }

  function note(id: string, [stored, finishedOn, returned, reason, attempts]: (string | null)[]): void {
    if (stored === null) lost.add(id);
    else if (finishedOn === null) return;
    else if (returned !== null && returned !== undefined) {
      publishedCount += 1;
      maxAttempts = Math.max(maxAttempts, Number(attempts));
      onEnded(id, 'published');
    } else {
      failed.set(id, reason ?? '');
      onEnded(id, 'failed');
    }
    open.delete(id);
  }

  const polling = (async () => {
    do {
      await poll().catch(() => undefined);
      for (const resolve of onNextPoll.splice(0)) resolve();
      await pause(POLL_INTERVAL_MS);
    } while (!isClosed());
  })();

  return {
    recordAccepted(emissionId) {
      acceptedCount += 1;
      open.add(emissionId);
    },
    get acceptedCount() {
      return acceptedCount;
    },
    open,
    lost,
    failed,
    get publishedCount() {
      return publishedCount;
    },
    get maxAttempts() {
      return maxAttempts;
    },
    async checkLogForLost() {
      if (lost.size === 0) return;
      const dir = world.env['LOG_DIR']!;
      for (const file of readdirSync(dir).filter((name) => name.startsWith('combined'))) {
        for await (const line of createInterface({ input: createReadStream(join(dir, file)) })) {
          if (!line.includes(EMITTED)) continue;
          const id = /"emissionId":"([^"]+)"/.exec(line)?.[1] ?? '';
          if (!lost.delete(id)) continue;
          publishedCount += 1;
          onEnded(id, 'published');
        }
      }
    },
    async settled() {
      const expected = [...open];
      while (expected.some((id) => open.has(id)) && !isClosed()) {
        await new Promise<void>((resolve) => onNextPoll.push(resolve));
      }
    },
    async retryFailed() {
      const ids = [...failed.keys()];
      for (const id of ids) {
        await (await world.jobs.get(id))?.retry();
        // After the retry: until then a poll would still read the failure.
        failed.delete(id);
        open.add(id);
      }
      return ids.length;
    },
    async close() {
      closed = true;
      await polling;
    },
  };
}
