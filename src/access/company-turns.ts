import type { Id } from '@appointment-emissions/contracts';
import { createRecentCounts } from '../domain/recent-counts.ts';
import { type BulkPacerDeps, createAllowance } from '../process/bulk-pacer.ts';
import { createLoopShares } from './loop-shares.ts';
import { createPieceTurns, type PieceKind } from './piece-turns.ts';
import { createReadTurns, type ReadKind } from './read-turns.ts';

/**
 * Shares a process that serves dashboards between companies, so that a company with thousands of sockets or lists does not delay
 * the others. Requests of different companies take turns. Requests of one company keep their order. Turns alone do not suffice: if a
 * company always has work, the event loop is always busy. So a company that uses more than its share of a busy event loop rests after
 * its work, as bulk work rests beside live emissions.
 */
export interface CompanyTurns {
  /**
   * Runs a read: one at a time of each kind and company, and at most 32 in all. Other companies' reads that wait
   * come before the next one of the same company. Replays do not wait behind the company's lists. If a read fails because MongoDB or
   * Redis does not answer, the reads behind it fail too. One after the other, each would take a second.
   * @throws AppError RATE_LIMITED if 500 of the kind and company wait
   */
  read: <T>(kind: ReadKind, companyId: Id, run: () => Promise<T>) => Promise<T>;
  /**
   * Runs a piece of work of at most a few milliseconds: a handshake, a part of a replay or of a list. If pieces wait, the event
   * loop handles live emissions and other requests after each 2 ms of pieces. Pieces that write messages count as use, but never rest.
   */
  piece: <T>(kind: Exclude<PieceKind, 'address'>, companyId: Id, run: () => T) => Promise<T>;
  /** The same for a client whose company is not known yet. Addresses take turns with companies, and never rest. */
  handshake: <T>(address: string, run: () => T) => Promise<T>;
  /** Must be called for each connection that the server accepts: if more wait, they are accepted before the next pieces. */
  accepted: () => void;
  /** Runs the oldest waiting message of a company now, before its turn. @returns false if none waits */
  runNextMessage: (companyId: Id) => boolean;
  /** Counts a live event that this process sends to dashboards of a company: the others rest beside it too. */
  delivered: (companyId: Id) => void;
  /** Reads of the last one to two minutes that waited for an earlier one of their company, by company. */
  delayedReads: () => Map<Id, number>;
}

/** What a live event counts in the share of its company. */
const DELIVERY_MS = 0.05;

export function createCompanyTurns({
  now = () => performance.now(),
  readUtilization,
}: Pick<BulkPacerDeps, 'now' | 'readUtilization'> = {}): CompanyTurns {
  const delayed = createRecentCounts();
  const shares = createLoopShares();
  const allowance = createAllowance({ now, readUtilization, isBesideLive: () => shares.isShared(now()) });
  /** How long a company rests after work that took `tookMs`. */
  const restMsOf = (companyId: Id, tookMs: number): number =>
    shares.isOver(companyId, now()) ? tookMs / allowance() - tookMs : 0;

  const readInTurn = createReadTurns({
    onDelayed: (companyId) => {
      delayed.add(companyId, now());
    },
    restMsOf,
    now,
  });
  const onUsed = (companyId: Id, ms: number): void => {
    shares.add(companyId, ms, now());
  };
  const pieces = createPieceTurns({ now, onUsed, restMsOf });
  const runPiece = <T>(kind: PieceKind, from: string, run: () => T): Promise<T> =>
    new Promise((resolve) => {
      pieces.run({
        kind,
        from,
        // If `run` throws, the inner promise is rejected.
        run: () => {
          resolve(
            new Promise((settle) => {
              settle(run());
            }),
          );
        },
      });
    });

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
    piece: runPiece,
    handshake: (address, run) => runPiece('address', address, run),
    accepted: pieces.accepted,
    runNextMessage: (companyId) => pieces.runNext('message', companyId),
    delivered: (companyId) => {
      onUsed(companyId, DELIVERY_MS);
    },
    delayedReads: () => delayed.read(now()),
  };
}
