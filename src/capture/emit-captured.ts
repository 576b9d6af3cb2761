import {
  APPOINTMENT_CREATED,
  APPOINTMENT_DELETED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
  type Id,
} from '@appointment-emissions/contracts';
import type { AppointmentChange, Change, FindReferring, ReferenceChange } from '../domain/changes.ts';
import type { MissedEmission } from '../domain/updated-rows.ts';
import {
  type CompareDeps,
  compareWithPublished,
  type Documents,
  type EventForCompany,
  findDocuments,
  withCompanies,
} from './compare-change.ts';

export interface EmitCapturedDeps extends CompareDeps {
  findReferring: FindReferring;
  enqueue: (emissions: readonly MissedEmission[], queue: { isLive: boolean }) => Promise<void>;
  /** True if every read fails with this error: a server is unavailable, or a right is missing. */
  concernsAllReads: (error: unknown) => boolean;
  /** Milliseconds since 1970, by the clock that all processes share. */
  now: () => number;
}

/**
 * Emits what changes did, unless dashboards have it already: the newest snapshot has the digest of the published one. So the
 * comparison needs no clock, and ignores writes to fields that are not sent. The emission id is derived from appointment and
 * cluster time, so a change that is read twice adds one job.
 *
 * If MongoDB does not return a batch, half of it is read, until the appointment that causes the error is found. That one is
 * emitted without a comparison: its job reads it again, with the attempts of every job, and fails visibly if it must.
 * @param options `isLive`: which queue. `signal`: ends the work between two reads.
 * @throws the errors of Redis, those of MongoDB that concern all reads, and the reason of the signal
 */
export type EmitCaptured = (changes: readonly Change[], options: EmitOptions) => Promise<Captured>;

interface EmitOptions {
  isLive: boolean;
  signal: AbortSignal;
}

export interface Captured {
  /** Number of emissions of changes that were compared. */
  emitted: number;
  /** Deleted appointments whose company is not known: nothing can be emitted. */
  unknown: readonly Id[];
  /** Documents that MongoDB did not return, with its error. */
  unread: readonly Unread[];
  /** Appointments that were published for another company before. Its dashboards show them until they reload. */
  moved: readonly Id[];
}

interface Unread {
  documentId: Id;
  error: unknown;
  /** Whether it was emitted without a comparison. If not, its company is unknown too, or it is no appointment. */
  isEmitted: boolean;
}

const NOTHING: Captured = { emitted: 0, unknown: [], unread: [], moved: [] };

function add(a: Captured, b: Captured): Captured {
  return {
    emitted: a.emitted + b.emitted,
    unknown: [...a.unknown, ...b.unknown],
    unread: [...a.unread, ...b.unread],
    moved: [...a.moved, ...b.moved],
  };
}

export function createEmitCaptured(deps: EmitCapturedDeps): EmitCaptured {
  const emitAppointments = createEmitAppointments(deps);

  async function emitReferring(change: ReferenceChange, signal: AbortSignal): Promise<Captured> {
    const now = deps.now();
    const range = { from: now - REFERRING_WINDOW_MS, to: now + REFERRING_WINDOW_MS };
    let ids: readonly Id[];
    try {
      ids = await deps.findReferring(change, range, MAX_REFERRING);
    } catch (error) {
      if (deps.concernsAllReads(error)) throw error;
      return { ...NOTHING, unread: [{ documentId: change.documentId, error, isEmitted: false }] };
    }
    const written = ids.map((appointmentId): AppointmentChange => {
      return { ...change, kind: 'written', appointmentId, companyId: null };
    });
    return emitAppointments(written, { isLive: false, signal });
  }

  return async (changes, options) => {
    const own = changes.filter((change) => change.kind !== 'reference');
    let captured = await emitAppointments(newestOfEach(own), options);
    for (const change of newestReferences(changes)) {
      options.signal.throwIfAborted();
      captured = add(captured, await emitReferring(change, options.signal));
    }
    return captured;
  };
}

type EmitAppointments = (changes: readonly AppointmentChange[], options: EmitOptions) => Promise<Captured>;

/** Emits changes of different appointments. */
function createEmitAppointments(deps: EmitCapturedDeps): EmitAppointments {
  const toEmission = (
    { appointmentId, clusterTime }: AppointmentChange,
    emitted: EventForCompany,
  ): MissedEmission => ({
    ...emitted,
    appointmentId,
    emissionId: `capture-${appointmentId}-${clusterTime}`,
    acceptedAt: new Date(deps.now()).toISOString(),
  });

  async function emitUnread(change: AppointmentChange, error: unknown): Promise<Captured> {
    const companyId = change.companyId ?? (await findCompany(deps, change.appointmentId));
    const event = UNREAD_EVENTS[change.kind];
    if (companyId !== undefined)
      await deps.enqueue([toEmission(change, { event, companyId })], { isLive: false });
    const unread = { documentId: change.appointmentId, error, isEmitted: companyId !== undefined };
    return { ...NOTHING, unread: [unread] };
  }

  async function emitHalves(changes: readonly AppointmentChange[], options: EmitOptions): Promise<Captured> {
    const middle = changes.length >> 1;
    const first = await emitAll(changes.slice(0, middle), options);
    options.signal.throwIfAborted();
    return add(first, await emitAll(changes.slice(middle), options));
  }

  async function emitAll(changes: readonly AppointmentChange[], options: EmitOptions): Promise<Captured> {
    const [first] = changes;
    if (!first) return NOTHING;
    let documents: Documents;
    try {
      documents = await findDocuments(deps, changes);
    } catch (error) {
      if (deps.concernsAllReads(error)) throw error;
      return changes.length === 1 ? emitUnread(first, error) : emitHalves(changes, options);
    }
    const found = await withCompanies(deps, changes, documents);
    const emissions = await Promise.all(
      changes.map(async (change) => {
        const emitted = await compareWithPublished(deps, change, found);
        return emitted && toEmission(change, emitted);
      }),
    );
    const missed = emissions.filter((emission) => emission !== undefined);
    if (missed.length > 0) await deps.enqueue(missed, options);
    return { ...NOTHING, emitted: missed.length, unknown: found.unknown, moved: found.moved };
  }
  return emitAll;
}

/** The job reads the appointment, and decides between a deletion and an update itself. */
const UNREAD_EVENTS: Readonly<Record<AppointmentChange['kind'], AppointmentEvent>> = {
  created: APPOINTMENT_CREATED,
  written: APPOINTMENT_UPDATED,
  deleted: APPOINTMENT_DELETED,
};

/** The company that an appointment was published for, or else that of its row, which has few fields and may be readable. */
async function findCompany(
  { companiesOf, findRows, concernsAllReads }: EmitCapturedDeps,
  appointmentId: Id,
): Promise<Id | undefined> {
  const published = (await companiesOf([appointmentId])).get(appointmentId);
  if (published !== undefined) return published;
  try {
    const [row] = await findRows([appointmentId]);
    return row?.companyId;
  } catch (error) {
    if (concernsAllReads(error)) throw error;
    return undefined;
  }
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
