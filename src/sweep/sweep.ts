import type { AppointmentEvent, Id } from '@appointment-emissions/contracts';
import { missedEvent, type Row } from './missed-event.ts';
import type { HoldSweep, Watermark } from './sweep-state.ts';

interface UpdatedRow extends Row {
  appointmentId: Id;
  companyId: Id;
}

export interface SweepEmission {
  event: AppointmentEvent;
  appointmentId: Id;
  companyId: Id;
  emissionId: string;
  acceptedAt: string;
}

export interface SweepDeps {
  hold: HoldSweep;
  findUpdated: (
    after: { updatedAt: number; appointmentId: Id },
    until: number,
    limit: number,
  ) => Promise<UpdatedRow[]>;
  lastPublished: (
    companyId: Id,
    appointmentId: Id,
  ) => Promise<{ updatedAt: number; status: string } | undefined>;
  enqueue: (emissions: readonly SweepEmission[]) => Promise<void>;
  /** Jobs that wait; the sweep rests while there are many. */
  backlog: () => Promise<number>;
  now: () => number;
}

/** What one sweep did. */
export interface SweepReport {
  looked: number;
  emitted: number;
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
 * An emission's id follows from the appointment and its `updatedAt`, so that finding it twice adds one job.
 */
export function createSweep(deps: SweepDeps): () => Promise<SweepReport | undefined> {
  const { hold, findUpdated, lastPublished, enqueue, backlog, now } = deps;
  /** Rows of the overlap that were seen to be published, so that they are not asked for at every sweep. */
  let settled = new Map<Id, number>();

  return async () => {
    const held = await hold();
    if (!held) return undefined;
    if ((await backlog()) > LARGEST_BACKLOG) return { looked: 0, emitted: 0, caughtUp: false };

    const until = now() - GRACE_MS;
    const saved = await held.load();
    if (!saved) settled = new Map();
    const mark = saved ?? { updatedAt: now() - FIRST_REACH_MS, appointmentId: '', caughtUp: false };
    const windowStart = mark.updatedAt - OVERLAP_MS;
    let cursor = mark.caughtUp ? { updatedAt: windowStart, appointmentId: '' } : mark;
    const report: SweepReport = { looked: 0, emitted: 0, caughtUp: false };
    const stillSettled = new Map<Id, number>();

    while (!report.caughtUp && report.emitted < MOST_EMISSIONS) {
      const rows = await findUpdated(cursor, until, PAGE);
      report.looked += rows.length;
      const missed = await Promise.all(
        rows.map(async (row) => {
          if (settled.get(row.appointmentId) === row.updatedAt) {
            stillSettled.set(row.appointmentId, row.updatedAt);
            return undefined;
          }
          const event = missedEvent(row, await lastPublished(row.companyId, row.appointmentId), windowStart);
          if (!event) stillSettled.set(row.appointmentId, row.updatedAt);
          return event && toEmission(row, event, now());
        }),
      );
      const emissions = missed.filter((emission) => emission !== undefined);
      if (emissions.length > 0) await enqueue(emissions);
      report.emitted += emissions.length;
      report.caughtUp = rows.length < PAGE;
      const last = rows.at(-1);
      if (last) cursor = { updatedAt: last.updatedAt, appointmentId: last.appointmentId };
      const reached = report.caughtUp ? caughtUpAt(until, mark) : { ...cursor, caughtUp: false };
      if (!(await held.save(reached))) return { ...report, caughtUp: false };
    }
    settled = stillSettled;
    return report;
  };
}

/** The watermark never goes back, even where this process' clock is behind the last one's. */
function caughtUpAt(until: number, mark: Watermark): Watermark {
  return { updatedAt: Math.max(until, mark.updatedAt), appointmentId: '', caughtUp: true };
}

function toEmission(row: UpdatedRow, event: AppointmentEvent, now: number): SweepEmission {
  const { appointmentId, companyId, updatedAt } = row;
  const emissionId = `sweep-${appointmentId}-${updatedAt}`;
  return { event, appointmentId, companyId, emissionId, acceptedAt: new Date(now).toISOString() };
}
