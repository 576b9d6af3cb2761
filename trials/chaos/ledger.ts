import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { World } from '../../test/harness/world.ts';

export interface Ledger {
  /** A 202 was received for it. */
  accepted: (emissionId: string) => void;
  readonly acceptedCount: number;
  /** Accepted, and neither published nor failed as far as we know. */
  readonly open: ReadonlySet<string>;
  /** Ids of jobs that were gone before we saw them end. */
  readonly lost: ReadonlySet<string>;
  /** Failed jobs, with their words. */
  readonly failed: ReadonlyMap<string, string>;
  readonly publishedCount: number;
  /** The most attempts that a published one had spent. */
  readonly mostAttempts: number;
  /**
   * Looks up in the workers' log what was gone before we saw it end. A call that is repeated after half a minute names
   * jobs that ended long ago, and the queue may let go of them at that very moment.
   */
  lookUpLost: () => Promise<void>;
  /** Resolves when everything that is open now has ended. */
  settled: () => Promise<void>;
  /** What failed is given to the queue again, as an operator does. */
  retryFailed: () => Promise<number>;
  close: () => Promise<void>;
}

const LOOK_EVERY_MS = 250;
const CHUNK = 1_000;
/** In the line of each published emission. */
const EMITTED = '[InternalSocket] Emitted ';

/**
 * Follows every accepted emission's job by its id until it has ended. It looks often enough to see each before the
 * queue lets go of it: completed jobs are kept by the thousand.
 */
export function createLedger(world: World): Ledger {
  const open = new Set<string>();
  const lost = new Set<string>();
  const failed = new Map<string, string>();
  let [acceptedCount, publishedCount, mostAttempts] = [0, 0, 0];
  let closed = false;
  const isClosed = () => closed;
  const looks: (() => void)[] = [];

  async function look(): Promise<void> {
    const ids = [...open];
    for (let from = 0; from < ids.length; from += CHUNK) {
      const some = ids.slice(from, from + CHUNK);
      const pipeline = world.redis.pipeline();
      for (const id of some)
        for (const queue of [world.queue, world.bulk])
          pipeline.hmget(queue.toKey(id), 'data', 'finishedOn', 'returnvalue', 'failedReason', 'atm');
      const rows = (await pipeline.exec()) ?? [];
      some.forEach((id, index) => {
        const found = rows.slice(2 * index, 2 * index + 2);
        // Redis is away: it is asked again.
        if (found.length < 2 || found.some(([error]) => error)) return;
        const [live, bulk] = found.map(([, fields]) => fields as (string | null)[]);
        note(id, live![0] === null ? bulk! : live!);
      });
    }
  }

  function note(id: string, [stored, finishedOn, returned, reason, attempts]: (string | null)[]): void {
    if (stored === null) lost.add(id);
    else if (finishedOn === null) return;
    else if (returned !== null && returned !== undefined) {
      publishedCount += 1;
      mostAttempts = Math.max(mostAttempts, Number(attempts));
    } else failed.set(id, reason ?? '');
    open.delete(id);
  }

  const following = (async () => {
    do {
      await look().catch(() => undefined);
      for (const told of looks.splice(0)) told();
      await pause(LOOK_EVERY_MS);
    } while (!isClosed());
  })();

  return {
    accepted(emissionId) {
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
    get mostAttempts() {
      return mostAttempts;
    },
    async lookUpLost() {
      if (lost.size === 0) return;
      const lines = createInterface({ input: createReadStream(join(world.env['LOG_DIR']!, 'combined.log')) });
      for await (const line of lines) {
        if (!line.includes(EMITTED)) continue;
        const id = /"emissionId":"([^"]+)"/.exec(line)?.[1] ?? '';
        if (lost.delete(id)) publishedCount += 1;
      }
    },
    async settled() {
      const waitedFor = [...open];
      while (waitedFor.some((id) => open.has(id)) && !isClosed()) {
        await new Promise<void>((resolve) => looks.push(resolve));
      }
    },
    async retryFailed() {
      const again = [...failed.keys()];
      for (const id of again) {
        failed.delete(id);
        open.add(id);
        await (await world.jobs.get(id))?.retry();
      }
      return again.length;
    },
    async close() {
      closed = true;
      await following;
    },
  };
}
