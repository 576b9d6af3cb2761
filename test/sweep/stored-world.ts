import type { PublishedAppointment } from '../../src/domain/published-appointments.ts';
import type { LastPublished, LeftOutRow, MissedEmission, UpdatedRow } from '../../src/domain/updated-rows.ts';
import { createEmitMissed } from '../../src/sweep/emit-missed.ts';
import { createFindGone, type HeldDeletions } from '../../src/sweep/find-gone.ts';
import { createLeftOutRows } from '../../src/sweep/left-out.ts';
import { createLookBack } from '../../src/sweep/look-back.ts';
import type { GoneSearch, SweepLease, Watermark } from '../../src/sweep/sweep-state.ts';
import { createSweep } from '../../src/sweep/sweep.ts';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const FIRST_SEARCH: GoneSearch = { cursor: { companyId: '', publishedAt: null }, heldSince: null };

/** An id made from a number, in the order of numbers. */
export const idOf = (number: number) => number.toString(16).padStart(24, '0');

/** The sweep over rows, publications and a watermark in memory, so that a test decides the time and what is stored. */
export function openStoredWorld() {
  const stored = {
    now: 20_000 * DAY_MS,
    rows: [] as UpdatedRow[],
    leftOut: [] as LeftOutRow[],
    /** Rows that a walk by `updatedAt` does not reach. */
    unsweepable: [] as LeftOutRow[],
    published: new Map<string, LastPublished>(),
    index: [] as PublishedAppointment[],
    /** Appointments whose company has no reachable master. */
    away: new Set<string>(),
    foreign: new Set<string>(),
    watermark: undefined as Watermark | undefined,
    search: FIRST_SEARCH,
    hasLease: true,
    /** False if the lease is lost while a sweep runs. */
    keepsLease: true,
    waitingJobs: 0,
    hasAppointments: true,
  };
  const enqueued: MissedEmission[] = [];
  /** Appointments whose last publication was looked up. */
  const lookedUp: string[] = [];
  const newlyLeftOut: string[] = [];
  const held: HeldDeletions[] = [];

  const enqueue = (emissions: readonly MissedEmission[]): Promise<void> => {
    if (emissions.length === 0) throw new Error('nothing to enqueue');
    enqueued.push(...emissions);
    return Promise.resolve();
  };
  const findUpdated: Parameters<typeof createSweep>[0]['findUpdated'] = (after, until = Infinity, limit) => {
    const found = stored.rows
      .filter(({ updatedAt }) => updatedAt <= until)
      .filter(
        ({ updatedAt, appointmentId }) =>
          updatedAt > after.updatedAt ||
          (updatedAt === after.updatedAt && appointmentId > after.appointmentId),
      )
      .sort((a, b) => a.updatedAt - b.updatedAt || (a.appointmentId < b.appointmentId ? -1 : 1));
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    const next = found.length > limit && last ? last : undefined;
    return Promise.resolve({
      rows,
      leftOut: stored.leftOut,
      next: next && { updatedAt: next.updatedAt, appointmentId: next.appointmentId },
    });
  };
  const emitMissed = createEmitMissed({
    lastPublished: (_company, appointmentId) => {
      lookedUp.push(appointmentId);
      if (stored.away.has(appointmentId)) return Promise.reject(new Error('away'));
      return Promise.resolve(stored.published.get(appointmentId));
    },
    enqueue,
    isCanceled: (status) => status === 'canceled',
    isUnavailable: (error) => (error as Error).message === 'away',
  });
  const leftOut = createLeftOutRows((rows) => {
    if (rows.length === 0) throw new Error('nothing to report');
    newlyLeftOut.push(...rows.map(({ key }) => key));
  });
  const lookBack = createLookBack({
    findUpdated,
    findUnsweepable: (since, limit) => Promise.resolve(since > 0 ? stored.unsweepable.slice(0, limit) : []),
    emitMissed,
    leftOut,
  });
  const findGone = createFindGone({
    readPublishedPage: ({ publishedAt }, { since, limit }) => {
      const from = stored.index.filter(
        (one) => one.publishedAt > (publishedAt ?? 0) && one.publishedAt >= since,
      );
      const appointments = from.slice(0, limit);
      const last = appointments.at(-1);
      const next =
        from.length > limit && last
          ? { companyId: last.companyId, publishedAt: last.publishedAt }
          : undefined;
      return Promise.resolve({ appointments, next });
    },
    findMissing: (ids) => {
      if (ids.length === 0) throw new Error('nothing to look up');
      const existing = new Set(stored.rows.map(({ appointmentId }) => appointmentId));
      return Promise.resolve(new Set(ids.filter((id) => !existing.has(id))));
    },
    hasAppointments: () => Promise.resolve(stored.hasAppointments),
    dropForeign: (appointments) =>
      Promise.resolve(appointments.filter(({ appointmentId }) => !stored.foreign.has(appointmentId))),
    enqueue,
    onHeld: (deletions) => held.push(deletions),
  });
  const lease = (): SweepLease => ({
    now: stored.now,
    loadWatermark: () => Promise.resolve(stored.watermark),
    saveWatermark: (watermark) => {
      if (stored.keepsLease) stored.watermark = watermark;
      return Promise.resolve(stored.keepsLease);
    },
    loadSearch: () => Promise.resolve(stored.search),
    saveSearch: (search) => {
      if (stored.keepsLease) stored.search = search;
      return Promise.resolve(stored.keepsLease);
    },
  });
  const sweep = createSweep({
    acquireLease: () => Promise.resolve(stored.hasLease ? lease() : undefined),
    findUpdated,
    emitMissed,
    lookBack,
    leftOut,
    findGone,
    backlog: () => Promise.resolve(stored.waitingJobs),
  });

  return {
    stored,
    enqueued,
    lookedUp,
    newlyLeftOut,
    held,
    sweep,
    emitMissed,
    lookBack,
    leftOut,
    findGone,
    lease,
    /** Stores a row that was written `agoMs` ago. */
    write(number: number, agoMs: number, fields: Partial<UpdatedRow> = {}): UpdatedRow {
      const updatedAt = stored.now - agoMs;
      const row: UpdatedRow = {
        appointmentId: idOf(number),
        companyId: 'c'.repeat(24),
        updatedAt,
        createdAt: updatedAt,
        status: 'scheduled',
        isDeleted: false,
        ...fields,
      };
      stored.rows = [...stored.rows.filter(({ appointmentId }) => appointmentId !== row.appointmentId), row];
      return row;
    },
    publish({ appointmentId, updatedAt, status }: UpdatedRow): void {
      stored.published.set(appointmentId, { updatedAt, status: status ?? '' });
    },
    /** Adds published appointments to the index, the first one second ago. Their documents do not exist. */
    publishGone(count: number): void {
      stored.index = Array.from({ length: count }, (_, at) => ({
        appointmentId: idOf(at + 1),
        companyId: 'c'.repeat(24),
        publishedAt: stored.now - SECOND_MS * (count - at),
      }));
    },
    emittedIds: () => enqueued.map(({ appointmentId }) => Number.parseInt(appointmentId, 16)),
  };
}

export type StoredWorld = ReturnType<typeof openStoredWorld>;
