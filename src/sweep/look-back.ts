import type { Id } from '@appointment-emissions/contracts';
import type { EmitMissed, UpdatedRow } from './emit-missed.ts';
import type { LeftOutRow, LeftOutRows } from './left-out.ts';

export interface Cursor {
  updatedAt: number;
  appointmentId: Id;
}

export interface UpdatedPage {
  rows: UpdatedRow[];
  leftOut: LeftOutRow[];
  next: Cursor | undefined;
}

export type FindUpdated = (after: Cursor, until: number | undefined, limit: number) => Promise<UpdatedPage>;

export interface LookBackDeps {
  findUpdated: FindUpdated;
  /** Rows that no walk by `updatedAt` meets, at most `limit`. */
  findUnsweepable: (since: number, limit: number) => Promise<LeftOutRow[]>;
  emitMissed: EmitMissed;
  leftOut: LeftOutRows;
}

export interface LookBack {
  /** One page of the walk, if one is due. @param now ms since the epoch @returns how many were emitted */
  step: (now: number) => Promise<number>;
  /** The next step begins a walk. */
  soon: () => void;
  /** What was enqueued may be lost, or another process sweeps now. */
  forget: () => void;
  /** Rows of the last walk whose `updatedAt` was in the future. */
  inFuture: () => number;
}

const LOOK_BACK_MS = 24 * 3_600_000;
/** A walk begins so many sweeps after the one before ended: with the usual interval, a minute. */
const SWEEPS_BETWEEN = 12;
const PAGE = 500;
const MAX_UNSWEEPABLE = 100;
/** Bots' clocks differ a little; and the sweep itself comes to such rows soon. */
const NEAR_MS = 5 * 60_000;
const MAX_KNOWN = 100_000;

/**
 * Walks over all that was written in the last day, or in the future, a page at a sweep: this finds what the watermark
 * has passed. A bot whose clock was hours behind writes below the watermark; one whose clock is ahead writes where the sweep
 * does not come for hours; a row may be mended without a new `updatedAt`.
 */
export function createLookBack({
  findUpdated,
  findUnsweepable,
  emitMissed,
  leftOut,
}: LookBackDeps): LookBack {
  let sweepsToGo = SWEEPS_BETWEEN;
  let cursor: Cursor | undefined;
  let future = { last: 0, now: 0 };
  /** Rows that need no second look: published, or in the queue, as they are. */
  let known = new Map<Id, number>();
  let stillKnown = new Map<Id, number>();

  async function begin(now: number): Promise<Cursor> {
    leftOut.add(await findUnsweepable(now - LOOK_BACK_MS, MAX_UNSWEEPABLE));
    return { updatedAt: now - LOOK_BACK_MS, appointmentId: '' };
  }

  function end(): void {
    sweepsToGo = SWEEPS_BETWEEN;
    known = stillKnown;
    stillKnown = new Map();
    future = { last: future.now, now: 0 };
    leftOut.endRound();
  }

  return {
    async step(now) {
      if (!cursor) {
        sweepsToGo -= 1;
        if (sweepsToGo > 0) return 0;
      }
      const page = await findUpdated((cursor ??= await begin(now)), undefined, PAGE);
      leftOut.add(page.leftOut);
      future.now += page.rows.filter(({ updatedAt }) => updatedAt > now + NEAR_MS).length;
      const rows = page.rows.filter(({ updatedAt }) => Math.abs(updatedAt - now) > NEAR_MS);
      const unknown = rows.filter((row) => known.get(row.appointmentId) !== row.updatedAt);
      const emitted = await emitMissed(unknown, { windowStart: now - LOOK_BACK_MS, now });
      for (const { appointmentId, updatedAt } of rows)
        if (stillKnown.size < MAX_KNOWN) stillKnown.set(appointmentId, updatedAt);
      cursor = page.next;
      if (!cursor) end();
      return emitted.size;
    },
    soon() {
      sweepsToGo = 0;
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
