import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Id } from '@appointment-emissions/contracts';
import { createRecentCounts } from '../domain/recent-counts.ts';
import { AppError } from '../errors.ts';
import { isMongoError, isUnavailable } from '../process/unavailable.ts';

/**
 * Shares a process that serves dashboards between companies, so that a company with thousands of sockets or lists does not delay
 * the others. Requests of different companies take turns. Requests of one company keep their order.
 */
export interface CompanyTurns {
  /**
   * Runs a read: one at a time of each kind and company, and at most {@link MAX_READS} in all. Other companies' reads that wait
   * come before the next one of the same company. Replays do not wait behind the company's lists. If a read fails because MongoDB or
   * Redis does not answer, the reads behind it fail too. One after the other, each would take a second.
   * @throws AppError RATE_LIMITED if {@link MAX_WAITING} of the kind and company wait
   */
  read: <T>(kind: ReadKind, companyId: Id, run: () => Promise<T>) => Promise<T>;
  /**
   * Runs a piece of work of at most a few milliseconds: a handshake, a part of a replay or of a list. If pieces wait, the event
   * loop handles live emissions and other requests after each {@link SLICE_MS} of pieces.
   * @param from  a company, or the address of a client whose company is not known yet
   */
  piece: <T>(from: string, run: () => T) => Promise<T>;
  /** Runs the oldest waiting piece now, before its turn. @returns false if none waits */
  runNextPiece: (from: string) => boolean;
  /** Reads of the last one to two minutes that waited for an earlier one of their company, by company. */
  delayedReads: () => Map<Id, number>;
}

type ReadKind = 'list' | 'replay';

const MAX_READS = 32;
/** Reads of a company whose clients repeat them, or leave, faster than they are answered. */
const MAX_WAITING = 500;
const SLICE_MS = 2;

export function createCompanyTurns(): CompanyTurns {
  const delayed = createRecentCounts();
  const readInTurn = createReadTurns((companyId) => {
    delayed.add(companyId, performance.now());
  });
  const pieces = createPieceTurns();
  return {
    read: (kind, companyId, run) =>
      new Promise((resolve, reject) => {
        readInTurn(kind, companyId, {
          run: async () => {
            resolve(await run());
          },
          fail: reject,
        });
      }),
    piece: (from, run) =>
      new Promise((resolve) => {
        pieces.run(from, () => {
          // If `run` throws, the inner promise is rejected.
          resolve(
            new Promise((settle) => {
              settle(run());
            }),
          );
        });
      }),
    runNextPiece: pieces.runNext,
    delayedReads: () => delayed.read(performance.now()),
  };
}

interface Read {
  run: () => Promise<void>;
  fail: (error: unknown) => void;
}

/** @param onDelayed  called for each read that must wait for another one of its company */
function createReadTurns(onDelayed: (companyId: Id) => void) {
  /** By kind and company, as `reading` is. */
  const waiting = createRounds<Read>();
  const reading = new Set<string>();

  async function runOne(key: string, read: Read): Promise<void> {
    try {
      await read.run();
    } catch (error) {
      const isOutage = isUnavailable(error) || isMongoError(error, 'MongoError');
      for (const failed of isOutage ? [read, ...waiting.removeAll(key)] : [read]) failed.fail(error);
    }
  }

  function startNext(): void {
    while (reading.size < MAX_READS) {
      const next = waiting.next((key) => !reading.has(key));
      if (!next) return;
      const [key, read] = next;
      reading.add(key);
      void runOne(key, read).then(() => {
        reading.delete(key);
        startNext();
      });
    }
  }

  return (kind: ReadKind, companyId: Id, read: Read): void => {
    const key = `${kind} ${companyId}`;
    if (reading.has(key)) onDelayed(companyId);
    if (waiting.count(key) >= MAX_WAITING)
      throw new AppError('RATE_LIMITED', 'too many reads of this company wait', { retryAfterSeconds: 1 });
    waiting.add(key, read);
    startNext();
  };
}

function createPieceTurns() {
  const waiting = createRounds<() => void>();
  let isRunning = false;

  async function runAll(): Promise<void> {
    do {
      await nextTurn();
      const startedAt = performance.now();
      for (let next = waiting.next(); next; next = waiting.next()) {
        next[1]();
        // Socket.IO connects a socket in the next tick: that is part of the piece.
        await new Promise<void>((resolve) => {
          process.nextTick(resolve);
        });
        if (performance.now() - startedAt >= SLICE_MS) break;
      }
    } while (!waiting.isEmpty());
    isRunning = false;
  }

  return {
    run(from: string, run: () => void): void {
      if (isRunning) {
        waiting.add(from, run);
        return;
      }
      isRunning = true;
      run();
      void runAll();
    },
    runNext: (from: string): boolean => {
      const next = waiting.next((other) => other === from);
      next?.[1]();
      return next !== undefined;
    },
  };
}

/** A queue for each company. They are emptied in turns. */
function createRounds<T>() {
  /** In the order of their turns. */
  const queues = new Map<string, T[]>();
  return {
    isEmpty: () => queues.size === 0,
    count: (from: string): number => queues.get(from)?.length ?? 0,
    add(from: string, item: T): void {
      const queue = queues.get(from);
      if (queue) queue.push(item);
      else queues.set(from, [item]);
    },
    removeAll(from: string): T[] {
      const queue = queues.get(from) ?? [];
      queues.delete(from);
      return queue;
    },
    /** Removes the first item of the first queue that `isReady` accepts. */
    next(isReady: (from: string) => boolean = () => true): [from: string, item: T] | undefined {
      for (const [from, queue] of queues) {
        if (!isReady(from)) continue;
        const item = queue.shift() as T;
        queues.delete(from);
        if (queue.length > 0) queues.set(from, queue);
        return [from, item];
      }
      return undefined;
    },
  };
}
