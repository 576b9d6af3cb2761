import {
  APPOINTMENT_CREATED,
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type AppointmentSnapshot,
  type Id,
} from '@appointment-emissions/contracts';
import type { AppointmentChange } from '../domain/changes.ts';
import {
  eventOfWrite,
  type LastPublished,
  type RefuseEarlierReads,
  type WrittenRow,
} from '../domain/updated-rows.ts';

export interface CompareDeps {
  /** Reads from MongoDB's primary. Appointments that do not exist, or are marked as deleted, are absent. */
  load: (ids: readonly Id[]) => Promise<Map<Id, AppointmentSnapshot>>;
  /** Rows of appointments that the loader left out: those that are marked as deleted. */
  findRows: (ids: readonly Id[]) => Promise<readonly WrittenRow[]>;
  /** The companies that appointments were published for, as far as they are known. */
  companiesOf: (appointmentIds: readonly Id[]) => Promise<ReadonlyMap<Id, Id>>;
  lastPublished: (companyId: Id, appointmentId: Id) => Promise<LastPublished | undefined>;
  refuseEarlierReads: RefuseEarlierReads;
  digestOf: (snapshot: AppointmentSnapshot) => string;
  isCanceled: (status: string | null) => boolean;
}

export interface EventForCompany {
  event: AppointmentEvent;
  companyId: Id;
}

export interface Documents {
  snapshots: ReadonlyMap<Id, AppointmentSnapshot>;
  /** Of appointments without a snapshot: those that are marked as deleted. */
  rows: ReadonlyMap<Id, WrittenRow>;
}

/** @throws the errors of MongoDB only */
export async function findDocuments(
  { load, findRows }: CompareDeps,
  changes: readonly AppointmentChange[],
): Promise<Documents> {
  const ids = changes.map(({ appointmentId }) => appointmentId);
  const snapshots = await load(ids);
  const absent = ids.filter((id) => !snapshots.has(id));
  const rows = absent.length === 0 ? [] : await findRows(absent);
  return { snapshots, rows: new Map(rows.map((row) => [row.appointmentId, row])) };
}

/** What is known of the changed appointments of a batch. `unknown` and `moved` are filled by the comparison. */
export interface Found extends Documents {
  /** Of deleted appointments without a pre-image. */
  companies: ReadonlyMap<Id, Id>;
  unknown: Id[];
  moved: Id[];
}

export async function withCompanies(
  { companiesOf }: CompareDeps,
  changes: readonly AppointmentChange[],
  documents: Documents,
): Promise<Found> {
  const { snapshots, rows } = documents;
  const ownerless = changes.filter(
    ({ kind, appointmentId, companyId }) =>
      kind === 'deleted' && companyId === null && !snapshots.has(appointmentId) && !rows.has(appointmentId),
  );
  const companies = await companiesOf(ownerless.map(({ appointmentId }) => appointmentId));
  return { ...documents, companies, unknown: [], moved: [] };
}

/** The event that a change needs, or `undefined` if dashboards have its state already. @throws the errors of Redis */
export async function compareWithPublished(
  deps: CompareDeps,
  change: AppointmentChange,
  found: Found,
): Promise<EventForCompany | undefined> {
  const { appointmentId, kind } = change;
  const snapshot = found.snapshots.get(appointmentId);
  if (snapshot) return eventOfSnapshot(deps, { snapshot, kind, moved: found.moved });
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

async function eventOfSnapshot(
  deps: CompareDeps,
  {
    snapshot,
    kind,
    moved,
  }: Pick<Found, 'moved'> & Pick<AppointmentChange, 'kind'> & { snapshot: AppointmentSnapshot },
): Promise<EventForCompany | undefined> {
  const { _id: appointmentId, companyId, status } = snapshot;
  // Its company cannot be read. The sweep reports such rows.
  if (companyId === '') return undefined;
  const last = await deps.lastPublished(companyId, appointmentId);
  const published = last === 'deletion' ? undefined : last;
  const digest = deps.digestOf(snapshot);
  if (
    isSameAs(snapshot, digest, published) &&
    (await deps.refuseEarlierReads(companyId, appointmentId, { digest }))
  )
    return undefined;
  if (!last) {
    const earlier = (await deps.companiesOf([appointmentId])).get(appointmentId);
    if (earlier !== undefined && earlier !== companyId) moved.push(appointmentId);
  }
  const isNew = !published && kind === 'created';
  return {
    event: isNew ? APPOINTMENT_CREATED : eventOfWrite(status, published, deps.isCanceled),
    companyId,
  };
}

/**
 * Whether dashboards have this snapshot. A worker of a version without digests leaves the digest of an earlier snapshot, but
 * replaces the time.
 */
function isSameAs(
  { updatedAt }: AppointmentSnapshot,
  digest: string,
  published: Exclude<LastPublished, 'deletion'> | undefined,
): boolean {
  return published?.digest === digest && updatedAt !== null && Date.parse(updatedAt) === published.updatedAt;
}
