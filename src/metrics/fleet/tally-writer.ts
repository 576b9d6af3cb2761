import { randomUUID } from 'node:crypto';
import { within } from '../../process/lifecycle.ts';
import { luaScript } from '../../redis/script.ts';
import { MINUTE_MS, MINUTE_TTL_MS, SEQUENCE_TTL_MS, SLOT_MS, SLOT_TTL_MS, type WriterDeps } from './keys.ts';

/**
 * Adds the counts of this process to those of the fleet. A batch of counts gets a sequence number and is sent again under
 * the same number until Redis confirms it, so a send of unknown outcome neither loses counts nor adds them twice.
 */
export function createTallyWriter({ redis, keys, timeoutMs, now }: WriterDeps) {
  const flushScript = luaScript(new URL('./flush.lua', import.meta.url));
  const sequenceKey = keys.sequence(randomUUID());
  let counters = new Map<string, number>();
  let cells = new Map<number, number>();
  let frozen: { sequence: number; counters: (string | number)[]; cells: number[] } | undefined;
  let lastSequence = 0;

  async function sendFrozen(): Promise<void> {
    if (!frozen) return;
    const time = [now?.() ?? '', SLOT_MS, SLOT_TTL_MS, MINUTE_MS, MINUTE_TTL_MS];
    const counts = [frozen.counters.length / 2, ...frozen.counters, ...frozen.cells];
    const args = [keys.base, frozen.sequence, SEQUENCE_TTL_MS, ...time, ...counts];
    await within(timeoutMs, 'metrics flush', flushScript(redis, [sequenceKey, keys.total], args));
    frozen = undefined;
  }

  return {
    add: (field: string, n: number) => {
      counters.set(field, (counters.get(field) ?? 0) + n);
    },
    addLatency: (cell: number) => {
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
    },
    isIdle: () => counters.size === 0 && cells.size === 0 && !frozen,
    /** Sends an unconfirmed batch again, then the counts that were added since. One call at a time. */
    sendWaiting: async (): Promise<void> => {
      await sendFrozen();
      if (counters.size === 0 && cells.size === 0) return;
      frozen = { sequence: ++lastSequence, counters: [...counters].flat(), cells: [...cells].flat() };
      counters = new Map();
      cells = new Map();
      await sendFrozen();
    },
  };
}
