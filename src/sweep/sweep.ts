import type { Id } from '@appointment-emissions/contracts';
import type { EmitMissed } from './emit-missed.ts';
import type { LeftOutRows } from './left-out.ts';
import type { FindUpdated, LookBack } from './look-back.ts';
import type { AcquireSweepLease, SweepLease, Watermark } from './sweep-state.ts';

export interface SweepDeps {
  hold: AcquireSweepLease;
  findUpdated: FindUpdated;
  emitMissed: EmitMissed;
  lookBack: LookBack;
  leftOut: LeftOutRows;
  /** Jobs that wait; the sweep rests while there are many. */
  backlog: () => Promise<number>;
}

/** What one sweep did. */
export interface SweepReport {
  looked: number;
  emitted: number;
  /** Rows that were met and cannot be emitted. */
  leftOut: number;
  caughtUp: boolean;
}

/** A bot that is alive calls within this time after its write. */
const GRACE_MS = 5_000;
/** Clocks of bots may differ by so much, and writes may become visible so late. */
const OVERLAP_MS = 5 * 60_000;
const FIRST_REACH_MS = 24 * 3_600_000;
const PAGE = 500;
/** Paces the way back after an outage: so many emissions a sweep at most. */
const MOST_EMISSIONS = 500;
const LARGEST_BACKLOG = 1_000;

/**
 * Finds what no bot told us: appointments whose last write was never published. One indexed query where all is well.
 * Times are Redis' own, so that no worker's clock moves the watermark.
 */
export function createSweep(deps: SweepDeps): () => Promise<SweepReport | undefined> {
  const { hold, lookBack, leftOut, backlog } = deps;
  /** Rows of the overlap that were seen to be published, so that they are not asked for at every sweep. */
  let settled = new Map<Id, number>();

  async function catchUp(held: SweepLease, mark: Watermark): Promise<SweepReport> {
    const until = held.now - GRACE_MS;
    const windowStart = mark.updatedAt - OVERLAP_MS;
    const report: SweepReport = { looked: 0, emitted: 0, leftOut: 0, caughtUp: false };
    const stillSettled = new Map<Id, number>();
    let cursor = mark.caughtUp ? { updatedAt: windowStart, appointmentId: '' } : mark;
    while (!report.caughtUp && report.emitted < MOST_EMISSIONS) {
      const page = await deps.findUpdated(cursor, until, PAGE);
      leftOut.add(page.leftOut);
      const open = page.rows.filter((row) => settled.get(row.appointmentId) !== row.updatedAt);
      const emitted = await deps.emitMissed(open, { windowStart, now: held.now });
      for (const { appointmentId, updatedAt } of page.rows)
        if (!emitted.has(appointmentId)) stillSettled.set(appointmentId, updatedAt);
      report.looked += page.rows.length + page.leftOut.length;
      report.leftOut += page.leftOut.length;
      report.emitted += emitted.size;
      report.caughtUp = page.next === undefined;
      cursor = page.next ?? { updatedAt: until, appointmentId: '' };
      if (!(await held.save({ ...cursor, caughtUp: report.caughtUp }))) return { ...report, caughtUp: false };
    }
    settled = stillSettled;
    return report;
  }

  /** Costs one page at most, so that it delays no sweep. */
  async function alsoLookBack(held: SweepLease, report: SweepReport): Promise<SweepReport> {
    const emitted = await lookBack.step(held.now);
    if (emitted === 0) return report;
    const isKept = await held.save({ updatedAt: held.now - GRACE_MS, appointmentId: '', caughtUp: true });
    if (!isKept) lookBack.forget();
    return { ...report, emitted: report.emitted + emitted };
  }

  return async () => {
    const held = await hold();
    if (!held) {
      leftOut.forget();
      lookBack.forget();
      return undefined;
    }
    if ((await backlog()) > LARGEST_BACKLOG) return { looked: 0, emitted: 0, leftOut: 0, caughtUp: false };
    const saved = await held.load();
    if (!saved) {
      settled = new Map();
      lookBack.forget();
    }
    const mark = startFrom(saved, held.now);
    // The clock was set back: what was written meanwhile may lie below the watermark.
    if (saved && saved.updatedAt - mark.updatedAt > OVERLAP_MS) lookBack.soon();
    const report = await catchUp(held, mark);
    return report.caughtUp ? alsoLookBack(held, report) : report;
  };
}

/** A watermark in the future comes from a clock that was ahead: writes of now lie below it. */
function startFrom(saved: Watermark | undefined, now: number): Watermark {
  if (!saved) return { updatedAt: now - FIRST_REACH_MS, appointmentId: '', caughtUp: false };
  const until = now - GRACE_MS;
  return saved.updatedAt <= until ? saved : { updatedAt: until, appointmentId: '', caughtUp: true };
}
