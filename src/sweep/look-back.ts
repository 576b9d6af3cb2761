import type { Id } from '@appointment-emissions/contracts';
import type { Cursor, FindUpdated, LeftOutRow } from '../domain/updated-rows.ts';
import type { EmitMissed } from './emit-missed.ts';
import type { LeftOutRows } from './left-out.ts';

export interface LookBackDeps {
  findUpdated: FindUpdated;
  /** Finds rows that a walk by `updatedAt` does not reach, at most `limit`. */
  findUnsweepable: (since: number, limit: number) => Promise<LeftOutRow[]>;
  emitMissed: EmitMissed;
  leftOut: LeftOutRows;
}

export interface LookBack {
  /** Reads one page of a walk, if one is due. @param now  ms since 1970 @returns the number of emitted rows */
  step: (now: number) => Promise<number>;
  /** Makes the next step begin a walk. */
  beginSoon: () => void;
  /** Call when enqueued jobs may be lost, or when another process has the lease. */
  forget: () => void;
  /** Number of rows of the last walk whose `updatedAt` was in the future. */
  inFuture: () => number;
}

const LOOK_BACK_MS = 24 * 3_600_000;
/** Sweeps between the end of a walk and the next one: one minute with the default interval. */
const SWEEPS_BETWEEN = 12;
const PAGE = 500;
const MAX_UNSWEEPABLE = 100;
/** Rows this close to now are left to the sweep itself. Clocks of bots differ a little. */
const NEAR_MS = 5 * 60_000;
const MAX_KNOWN = 100_000;

/**
 * Walks over all rows written in the last 24 hours or in the future, one page per sweep. It finds rows that the watermark
 * misses: a bot whose clock is hours behind writes below the watermark, a bot whose clock is ahead writes where the sweep
 * arrives hours later, and a row can be repaired without a new `updatedAt`.
 */
export function createLookBack({
  findUpdated,
  findUnsweepable,
  emitMissed,
  leftOut,
}: LookBackDeps): LookBack {
  let sweepsLeft = SWEEPS_BETWEEN;
  let cursor: Cursor | undefined;
  let future = { last: 0, now: 0 };
  /** `updatedAt` of rows that are published or enqueued, so that they are not checked again. */
  let known = new Map<Id, number>();
  let stillKnown = new Map<Id, number>();

  async function begin(now: number): Promise<Cursor> {
    leftOut.add(await findUnsweepable(now - LOOK_BACK_MS, MAX_UNSWEEPABLE));
    return { updatedAt: now - LOOK_BACK_MS, appointmentId: '' };
  }

  function end(): void {
    sweepsLeft = SWEEPS_BETWEEN;
    known = stillKnown;
    stillKnown = new Map();
    future = { last: future.now, now: 0 };
    leftOut.endRound();
  }

  return {
    async step(now) {
      if (!cursor) {
        sweepsLeft -= 1;
        if (sweepsLeft > 0) return 0;
      }
      const page = await findUpdated((cursor ??= await begin(now)), undefined, PAGE);
      leftOut.add(page.leftOut);
      future.now += page.rows.filter(({ updatedAt }) => updatedAt > now + NEAR_MS).length;
      const rows = page.rows.filter(({ updatedAt }) => Math.abs(updatedAt - now) > NEAR_MS);
      const unknown = rows.filter((row) => known.get(row.appointmentId) !== row.updatedAt);
      const { emitted, unchecked } = await emitMissed(unknown, { windowStart: now - LOOK_BACK_MS, now });
      for (const { appointmentId, updatedAt } of rows)
        if (stillKnown.size < MAX_KNOWN && !unchecked.has(appointmentId))
          stillKnown.set(appointmentId, updatedAt);
      cursor = page.next;
      if (!cursor) end();
      return emitted.size;
    },
    beginSoon() {
      sweepsLeft = 0;
    },
    forget() {
      cursor = undefined;
      future = { last: 0, now: 0 };
      known = new Map();
      stillKnown = new Map();
    },
    inFuture: () => Math.max(future.last, future.now),
  };
}
