import {
  APPOINTMENT_CREATED,
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type AppointmentSnapshot,
  type Id,
} from '@appointment-emissions/contracts';
import type { AppointmentChange, Change, FindReferring, ReferenceChange } from '../domain/changes.ts';
import {
  eventOfWrite,
  type LastPublished,
  type MissedEmission,
  type RefuseEarlierReads,
  type WrittenRow,
} from '../domain/updated-rows.ts';

export interface EmitCapturedDeps {
  /** Reads from MongoDB's primary. Appointments that do not exist, or are marked as deleted, are absent. */
  load: (ids: readonly Id[]) => Promise<Map<Id, AppointmentSnapshot>>;
  /** Rows of appointments that the loader left out: those that are marked as deleted. */
  findRows: (ids: readonly Id[]) => Promise<readonly WrittenRow[]>;
  findReferring: FindReferring;
  /** The companies that appointments were published for, as far as they are known. */
  companiesOf: (appointmentIds: readonly Id[]) => Promise<ReadonlyMap<Id, Id>>;
  lastPublished: (companyId: Id, appointmentId: Id) => Promise<LastPublished | undefined>;
  refuseEarlierReads: RefuseEarlierReads;
  digestOf: (snapshot: AppointmentSnapshot) => string;
  isCanceled: (status: string | null) => boolean;
  enqueue: (emissions: readonly MissedEmission[], queue: { isLive: boolean }) => Promise<void>;
  /** Milliseconds since 1970, by the clock that all processes share. */
  now: () => number;
}

/**
 * Emits what changes did, unless dashboards have it already: the newest snapshot has the digest of the published one. So the
 * comparison needs no clock, and ignores writes to fields that are not sent. The emission id is derived from appointment and cluster time, so a change that is read twice adds one job.
 * @param options `isLive`: which queue. `signal`: ends the work between two documents that appointments refer to.
 * @throws the errors of MongoDB and Redis, and the reason of the signal
 */
export type EmitCaptured = (
  changes: readonly Change[],
  options: { isLive: boolean; signal: AbortSignal },
) => Promise<Captured>;

export interface Captured {
  /** Number of emissions. */
  emitted: number;
  /** Deleted appointments whose company is not known: nothing can be emitted. */
  unknown: readonly Id[];
}

export function createEmitCaptured(deps: EmitCapturedDeps): EmitCaptured {
  async function eventOf(change: AppointmentChange, found: Found): Promise<EventForCompany | undefined> {
    const { appointmentId, kind } = change;
    const snapshot = found.snapshots.get(appointmentId);
    if (snapshot) return forSnapshot(deps, snapshot, kind);
    const row = found.rows.get(appointmentId);
    // A document that is gone although it was only written was deleted later. That deletion is a change of its own.
    if (!row && kind !== 'deleted') return undefined;
    const companyId = row?.companyId ?? change.companyId ?? found.companies.get(appointmentId);
    if (companyId === undefined) {
      found.unknown.push(appointmentId);
      return undefined;
    }
    const published = await deps.lastPublished(companyId, appointmentId);
    const isAnnounced =
      published === 'deletion' && (await deps.refuseEarlierReads(companyId, appointmentId, 'deletion'));
    return isAnnounced ? undefined : { event: APPOINTMENT_DELETED, companyId };
  }

  async function emit(changes: readonly AppointmentChange[], queue: { isLive: boolean }): Promise<Captured> {
    const newest = newestOfEach(changes);
    const found = await find(deps, newest);
    const acceptedAt = new Date(deps.now()).toISOString();
    const emissions = await Promise.all(
      newest.map(async (change): Promise<MissedEmission | undefined> => {
        const { appointmentId, clusterTime } = change;
        const emitted = await eventOf(change, found);
        const emissionId = `capture-${appointmentId}-${clusterTime}`;
        return emitted && { ...emitted, appointmentId, emissionId, acceptedAt };
      }),
    );
    const missed = emissions.filter((emission) => emission !== undefined);
    if (missed.length > 0) await deps.enqueue(missed, queue);
    return { emitted: missed.length, unknown: found.unknown };
  }

  async function emitReferring(change: ReferenceChange): Promise<number> {
    const now = deps.now();
    const range = { from: now - REFERRING_WINDOW_MS, to: now + REFERRING_WINDOW_MS };
    const ids = await deps.findReferring(change, range, MAX_REFERRING);
    const written = ids.map((appointmentId): AppointmentChange => {
      return { ...change, kind: 'written', appointmentId, companyId: null };
    });
    return written.length === 0 ? 0 : (await emit(written, { isLive: false })).emitted;
  }

  return async (changes, { isLive, signal }) => {
    const own = changes.filter((change) => change.kind !== 'reference');
    const captured: Captured = own.length === 0 ? { emitted: 0, unknown: [] } : await emit(own, { isLive });
    let { emitted } = captured;
    for (const change of newestReferences(changes)) {
      signal.throwIfAborted();
      emitted += await emitReferring(change);
    }
    return { ...captured, emitted };
  };
}

/** Appointments around today are on screens. Their number is bounded, since one service can be part of all of them. */
const REFERRING_WINDOW_MS = 7 * 24 * 3_600_000;
const MAX_REFERRING = 500;

/** The last change of each document that appointments refer to. */
function newestReferences(changes: readonly Change[]): ReferenceChange[] {
  const references = changes.filter((change) => change.kind === 'reference');
  return [
    ...new Map(references.map((change) => [`${change.collection} ${change.documentId}`, change])).values(),
  ];
}

/** The last change of each appointment. An appointment that was created and then written is new. */
function newestOfEach(changes: readonly AppointmentChange[]): AppointmentChange[] {
  const newest = new Map<Id, AppointmentChange>();
  for (const change of changes) {
    const earlier = newest.get(change.appointmentId);
    const isNew = earlier?.kind === 'created' && change.kind === 'written';
    newest.set(change.appointmentId, isNew ? { ...change, kind: 'created' } : change);
  }
  return [...newest.values()];
}

interface EventForCompany {
  event: AppointmentEvent;
  companyId: Id;
}

interface Found {
  snapshots: ReadonlyMap<Id, AppointmentSnapshot>;
  rows: ReadonlyMap<Id, WrittenRow>;
  /** Of deleted appointments without a pre-image. */
  companies: ReadonlyMap<Id, Id>;
  /** Deleted appointments whose company is not known. */
  unknown: Id[];
}

async function find(
  { load, findRows, companiesOf }: EmitCapturedDeps,
  changes: readonly AppointmentChange[],
): Promise<Found> {
  const snapshots = await load(changes.map(({ appointmentId }) => appointmentId));
  const absent = changes.filter(({ appointmentId }) => !snapshots.has(appointmentId));
  const rows = absent.length === 0 ? [] : await findRows(absent.map(({ appointmentId }) => appointmentId));
  const rowsById = new Map(rows.map((row) => [row.appointmentId, row]));
  const ownerless = absent.filter(
    ({ kind, appointmentId, companyId }) =>
      kind === 'deleted' && companyId === null && !rowsById.has(appointmentId),
  );
  const companies = await companiesOf(ownerless.map(({ appointmentId }) => appointmentId));
  return { snapshots, rows: rowsById, companies, unknown: [] };
}

async function forSnapshot(
  { lastPublished, refuseEarlierReads, digestOf, isCanceled }: EmitCapturedDeps,
  snapshot: AppointmentSnapshot,
  kind: AppointmentChange['kind'],
): Promise<EventForCompany | undefined> {
  const { _id: appointmentId, companyId, status } = snapshot;
  // Its company cannot be read. The sweep reports such rows.
  if (companyId === '') return undefined;
  const last = await lastPublished(companyId, appointmentId);
  const published = last === 'deletion' ? undefined : last;
  const digest = digestOf(snapshot);
  if (published?.digest === digest && (await refuseEarlierReads(companyId, appointmentId, { digest })))
    return undefined;
  const isNew = !published && kind === 'created';
  return { event: isNew ? APPOINTMENT_CREATED : eventOfWrite(status, published, isCanceled), companyId };
}
