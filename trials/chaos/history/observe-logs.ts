import { setTimeout as pause } from 'node:timers/promises';
import type { Id } from '@appointment-emissions/contracts';
import type { World } from '../../../test/harness/world.ts';
import type { History } from './record-history.ts';

const READ_EVERY_MS = 100;
const ENTRIES_PER_READ = 2_000;

/** Reads the company logs all the time, and records their entries. Those of an epoch that ends between two reads are missing. */
export function observeLogs({ redis, keys }: World, companyIds: readonly Id[], history: History) {
  const isClosed = new AbortController();
  const { signal } = isClosed;

  /** @returns whether there may be more entries */
  async function readOnce(companyId: Id, last: { epoch: string; offset: number }): Promise<boolean> {
    const read = redis.multi().hget(keys.position(companyId), 'epoch');
    read.xrange(keys.log(companyId), `(${last.offset}-0`, '+', 'COUNT', ENTRIES_PER_READ);
    const [[, epoch], [, entries]] = (await read.exec()) as [
      [Error | null, string | null],
      [Error | null, [id: string, fields: string[]][] | undefined],
    ];
    if (!epoch || !entries) return false;
    if (epoch !== last.epoch) {
      Object.assign(last, { epoch, offset: 0 });
      return true;
    }
    for (const [id, fields] of entries) {
      last.offset = Number.parseInt(id);
      history.logged(companyId, last, fields[5] ?? '');
    }
    return entries.length === ENTRIES_PER_READ;
  }

  const all = companyIds.map(async (companyId) => {
    const last = { epoch: '', offset: 0 };
    for (;;) {
      // Redis is unavailable: the next read is a new attempt.
      const hasMore = await readOnce(companyId, last).catch(() => false);
      if (hasMore) continue;
      if (signal.aborted) return;
      await pause(READ_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  });
  return {
    /** Resolves when the newest entries are recorded. */
    async close(): Promise<void> {
      isClosed.abort();
      await Promise.all(all);
    },
  };
}
