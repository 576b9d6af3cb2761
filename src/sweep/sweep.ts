import type { Id } from '@appointment-emissions/contracts';
import type { Cursor, FindUpdated } from '../domain/updated-rows.ts';
import type { EmitMissed } from './emit-missed.ts';
import type { FindGone } from './find-gone.ts';
import type { LeftOutRows } from './left-out.ts';
import type { LookBack } from './look-back.ts';
import type { AcquireSweepLease, SweepLease, Watermark } from './sweep-state.ts';

export interface SweepDeps {
  acquireLease: AcquireSweepLease;
  findUpdated: FindUpdated;
  emitMissed: EmitMissed;
  lookBack: LookBack;
  leftOut: LeftOutRows;
  findGone: FindGone;
  /** Number of waiting jobs. Above 1,000 no sweep runs. */
  backlog: () => Promise<number>;
}

export interface SweepReport {
  /** Rows read. */
  looked: number;
  emitted: number;
  /** Rows read that cannot be emitted. */
  leftOut: number;
  /** Published appointments that no longer exist, and whose deletion was emitted. */
  gone: number;
  caughtUp: boolean;
}

/** A running bot calls within this time after its write. */
const GRACE_MS = 5_000;
/** Covers differences between bots' clocks, and writes that become visible late. */
const OVERLAP_MS = 5 * 60_000;
const FIRST_REACH_MS = 24 * 3_600_000;
const PAGE = 500;
/** Per sweep, so that the rows of an outage do not flood the queue. */
const MAX_EMISSIONS = 500;
const MAX_BACKLOG = 1_000;
const NOTHING_FOUND: SweepReport = { looked: 0, emitted: 0, leftOut: 0, gone: 0, caughtUp: false };

/**
 * Finds appointments whose last write was not published, and published ones that are gone, and emits them. Usually these are
 * two indexed queries. Times are those of Redis' clock, so a worker's clock cannot move the watermark.
 */
export function createSweep(deps: SweepDeps): () => Promise<SweepReport | undefined> {
  const { acquireLease, lookBack, leftOut, findGone, backlog } = deps;
  const catchUp = createCatchUp(deps);
  return async () => {
    const lease = await acquireLease();
    if (!lease) {
      leftOut.forget();
      lookBack.forget();
      findGone.forget();
      return undefined;
    }
    if ((await backlog()) > MAX_BACKLOG) return NOTHING_FOUND;
    const saved = await lease.loadWatermark();
    if (!saved) {
      catchUp.forget();
      lookBack.forget();
    }
    const from = startFrom(saved, lease.now);
    // The clock was set back: writes of that time can be below the watermark.
    if (saved && saved.updatedAt - from.updatedAt > OVERLAP_MS) lookBack.beginSoon();
    const { report, mark } = await catchUp.walk(lease, from);
    if (!report.caughtUp) return report;
    return { ...(await alsoLookBack(lookBack, lease, { report, mark })), gone: await findGone.step(lease) };
  };
}

/** Walks from the watermark to the newest rows. */
function createCatchUp(deps: Pick<SweepDeps, 'findUpdated' | 'emitMissed' | 'leftOut' | 'findGone'>) {
  /** `updatedAt` of rows in the overlap that are published, so that not every sweep checks them. */
  let settled = new Map<Id, number>();

  /** Also resolves to the watermark that it saved last. */
  async function walk(lease: SweepLease, from: Watermark): Promise<{ report: SweepReport; mark: Watermark }> {
    const until = lease.now - GRACE_MS;
    const windowStart = from.updatedAt - OVERLAP_MS;
    const report = { ...NOTHING_FOUND };
    const stillSettled = new Map<Id, number>();
    let cursor: Cursor = from.caughtUp ? { updatedAt: windowStart, appointmentId: '' } : from;
    let mark = from;
    /** The first page with a row that could not be checked: the walk goes on, and the watermark stays there. */
    let unchecked: Cursor | undefined;
    while (!report.caughtUp && report.emitted < MAX_EMISSIONS) {
      const page = await deps.findUpdated(cursor, until, PAGE);
      deps.leftOut.add(page.leftOut);
      const open = page.rows.filter((row) => settled.get(row.appointmentId) !== row.updatedAt);
      const missed = await deps.emitMissed(open, { windowStart, now: lease.now });
      const { emitted } = missed;
      if (missed.unchecked.size > 0) unchecked ??= cursor;
      deps.findGone.except(emitted, lease.now);
      for (const { appointmentId, updatedAt } of page.rows)
        if (!emitted.has(appointmentId) && !missed.unchecked.has(appointmentId))
          stillSettled.set(appointmentId, updatedAt);
      report.looked += page.rows.length + page.leftOut.length;
      report.leftOut += page.leftOut.length;
      report.emitted += emitted.size;
      report.caughtUp = page.next === undefined;
      cursor = page.next ?? { updatedAt: until, appointmentId: '' };
      mark = unchecked ? { ...unchecked, caughtUp: false } : { ...cursor, caughtUp: report.caughtUp };
      if (!(await lease.saveWatermark(mark))) return { report: { ...report, caughtUp: false }, mark };
    }
    settled = stillSettled;
    return { report, mark };
  }

  return {
    walk,
    forget(): void {
      settled = new Map();
    },
  };
}

/** Reads at most one page, so it does not delay the next sweep. */
async function alsoLookBack(
  lookBack: LookBack,
  lease: SweepLease,
  { report, mark }: { report: SweepReport; mark: Watermark },
): Promise<SweepReport> {
  const emitted = await lookBack.step(lease.now);
  if (emitted === 0) return report;
  if (!(await lease.saveWatermark(mark))) lookBack.forget();
  return { ...report, emitted: report.emitted + emitted };
}

/** A watermark in the future comes from a clock that was ahead: current writes are below it. */
function startFrom(saved: Watermark | undefined, now: number): Watermark {
  if (!saved) return { updatedAt: now - FIRST_REACH_MS, appointmentId: '', caughtUp: false };
  const until = now - GRACE_MS;
  return saved.updatedAt <= until ? saved : { updatedAt: until, appointmentId: '', caughtUp: true };
}
