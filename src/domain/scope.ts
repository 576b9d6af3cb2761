import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';

/** A checked scope: which of a company's appointments, and which of their fields, a viewer may see. */
export interface ViewerScope {
  /** In lower case. Without it, appointments of all staff members and of none are in scope. */
  staffIds?: readonly Id[];
  locationIds?: readonly Id[];
  /** Paths that are sent as `null`: a key of the snapshot, or a key and a field of the reference under it. */
  hidden: readonly (readonly [key: string, field?: string])[];
  /** Equal for equal scopes. It is made of ids and paths, and contains no personal data. */
  id: string;
}

/** The fields of a snapshot that decide whether it is in scope. Null if the reference is missing or is of another company. */
export interface ScopeFields {
  staffId: Id | null;
  locationId: Id | null;
}

/** Names of the fields by which a scope can select appointments. */
export const SCOPE_FIELDS = ['staffId', 'locationId'] as const satisfies readonly (keyof ScopeFields)[];

export function scopeFieldsOf(snapshot: AppointmentSnapshot): ScopeFields {
  return { staffId: idIn(snapshot.staffId), locationId: idIn(snapshot.locationId) };
}

/** The snapshots alone decide: an appointment without a readable staff member is in no scope that names staff members. */
export function isInScope({ staffIds, locationIds }: ViewerScope, fields: ScopeFields): boolean {
  return includes(staffIds, fields.staffId) && includes(locationIds, fields.locationId);
}

/** A copy of the snapshot in which each hidden field is `null`; the snapshot itself if nothing is hidden. */
export function withoutHidden(snapshot: AppointmentSnapshot, { hidden }: ViewerScope): AppointmentSnapshot {
  if (hidden.length === 0) return snapshot;
  const copy: Record<string, unknown> = { ...snapshot };
  for (const [key, field] of hidden) {
    const value = copy[key];
    if (field === undefined) copy[key] = null;
    else if (typeof value === 'object' && value !== null) copy[key] = { ...value, [field]: null };
  }
  return copy as unknown as AppointmentSnapshot;
}

function includes(ids: readonly Id[] | undefined, id: Id | null): boolean {
  return ids === undefined || (id !== null && ids.includes(id));
}

/** Of a field that is an id, or a reference in the model that the snapshot follows. */
function idIn(value: unknown): Id | null {
  const id = typeof value === 'object' && value !== null ? (value as { _id?: unknown })._id : value;
  return typeof id === 'string' ? id : null;
}
