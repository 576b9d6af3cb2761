import { randomUUID } from 'node:crypto';
import { within } from '../../process/lifecycle.ts';
import { luaScript } from '../../redis/script.ts';
import { createHeartbeatWriter, type Heartbeat } from './heartbeat-writer.ts';
import { MINUTE_MS, MINUTE_TTL_MS, SEQUENCE_TTL_MS, SLOT_MS, SLOT_TTL_MS, type WriterDeps } from './keys.ts';

interface FleetSenderDeps extends WriterDeps {
  intervalMs: number;
  /** @param failuresInARow  1 for the first failure after a success */
  onFailure: (error: unknown, failuresInARow: number) => void;
  onCloseError: (error: unknown) => void;
}

/** Sends the counts, latencies and heartbeats of this process to Redis, at most once per interval. */
export function createFleetSender({ intervalMs, onFailure, onCloseError, ...writer }: FleetSenderDeps) {
  const tally = createTallyWriter(writer);
  const heartbeats = createHeartbeatWriter(writer);
  const loop = createFlushLoop({
    intervalMs,
    isIdle: () => tally.isIdle() && heartbeats.isIdle(),
    async send() {
      // Both must settle before the next send: the tally writer allows one at a time.
      const sent = await Promise.allSettled([tally.sendWaiting(), heartbeats.sendWaiting()]);
      for (const result of sent) if (result.status === 'rejected') throw result.reason;
    },
    onFailure,
  });

  return {
    add(field: string, n: number): void {
      tally.add(field, n);
      loop.wake();
    },
    addLatency(cell: number): void {
      tally.addLatency(cell);
      loop.wake();
    },
    heartbeat: (beat: Heartbeat): void => {
      heartbeats.heartbeat(beat);
      loop.wake();
    },
    flush: loop.flush,
    /** Sends what waits and leaves the fleet; never rejects. */
    async close(): Promise<void> {
      loop.stop();
      try {
        await within(writer.timeoutMs, 'last metrics flush', loop.flush());
        await heartbeats.leave();
      } catch (error) {
        onCloseError(error);
      }
    },
  };
}

/**
 * Adds the counts of this process to those of the fleet. A batch of counts gets a sequence number and is sent again under
 * the same number until Redis confirms it, so a send of unknown outcome neither loses counts nor adds them twice.
 */
function createTallyWriter({ redis, keys, timeoutMs, now }: WriterDeps) {
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

interface FlushLoopDeps {
  intervalMs: number;
  /** Settles in bounded time. */
  send: () => Promise<void>;
  isIdle: () => boolean;
  onFailure: FleetSenderDeps['onFailure'];
}

const MAX_PAUSE_MS = 5_000;

/** Sends at most once per interval, one send at a time. No timer runs while there is nothing to send. */
function createFlushLoop({ intervalMs, send, isIdle, onFailure }: FlushLoopDeps) {
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<boolean> = Promise.resolve(true);
  let failuresInARow = 0;
  let stopped = false;

  async function attempt(): Promise<boolean> {
    clearTimeout(timer);
    timer = undefined;
    try {
      if (!isIdle()) await send();
      failuresInARow = 0;
      return true;
    } catch (error) {
      onFailure(error, ++failuresInARow);
      return false;
    } finally {
      if (!isIdle()) wake();
    }
  }

  /** Resolves, after all earlier flushes, to true if everything counted so far is in Redis; never rejects. */
  function flush(): Promise<boolean> {
    last = last.then(attempt);
    return last;
  }

  /** Schedules a flush for what was just added. */
  function wake(): void {
    if (timer || stopped) return;
    const pauseMs = Math.min(intervalMs * 2 ** failuresInARow, MAX_PAUSE_MS);
    // flush() never rejects, and the next one awaits it. The timer alone does not keep a process alive.
    timer = setTimeout(() => void flush(), pauseMs).unref();
  }

  return {
    flush,
    wake,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
