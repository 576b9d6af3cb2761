import {
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type AppointmentSnapshot,
  type DeletionPayload,
  type EmissionMeta,
  isAppointmentEvent,
} from '@appointment-emissions/contracts';
import {
  isInScope,
  type ScopeFields,
  scopeFieldsOf,
  type ViewerScope,
  withoutHidden,
} from '../../domain/scope.ts';
import type { ReplayedEvent } from '../catch-up.ts';

/** An appointment event as it would be sent to a socket without a scope. */
export interface ScopedEmission extends ReplayedEvent {
  /** What decides whether the appointment is in scope. Null if it was deleted. */
  fields: ScopeFields | null;
}

/** Adds what decides about the scope of an event of our own. */
export function toScopedEmission(emission: ReplayedEvent): ScopedEmission {
  const { event, payload } = emission;
  const isDeletion = event === APPOINTMENT_DELETED;
  return {
    ...emission,
    fields: isDeletion ? null : scopeFieldsOf(payload.appointment as AppointmentSnapshot),
  };
}

/**
 * Reads the arguments of a published event. Returns undefined for an event of another publisher: what such an event contains is
 * unknown, so that sockets with a scope must not get it.
 */
export function readEmission(
  [event, payload, meta]: readonly unknown[],
  companyId: string,
): ScopedEmission | undefined {
  const { appointment } = fieldsOf(payload);
  const { epoch, offset, read } = fieldsOf(meta);
  const { _id, companyId: owner } = fieldsOf(appointment);
  const isOurs =
    isAppointmentEvent(event) &&
    typeof _id === 'string' &&
    owner === companyId &&
    typeof epoch === 'string' &&
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(read);
  if (!isOurs) return undefined;
  return toScopedEmission({ event, payload, meta } as ReplayedEvent);
}

export function isVisible({ fields }: Pick<ScopedEmission, 'fields'>, scope: ViewerScope): boolean {
  return fields !== null && isInScope(scope, fields);
}

/** The event for a socket with this scope: without hidden fields, or the removal of an appointment outside the scope. */
export function renderFor(emission: ScopedEmission, scope: ViewerScope): ReplayedEvent {
  if (!isVisible(emission, scope)) return removalOf(emission);
  const { event, payload, meta } = emission;
  const appointment = withoutHidden(payload.appointment as AppointmentSnapshot, scope);
  return { event, payload: { appointment }, meta };
}

/** Removes the appointment from a screen, in the order of the emission. A deletion is its own removal. */
export function removalOf({ event, payload, meta }: ScopedEmission): ReplayedEvent {
  const { _id, companyId } = payload.appointment;
  const removal: DeletionPayload = { appointment: { _id, companyId } };
  if (event !== APPOINTMENT_DELETED) removal.reason = 'out-of-scope';
  return { event: APPOINTMENT_DELETED, payload: removal, meta: namedDeletion(meta) };
}

function namedDeletion(meta: EmissionMeta): EmissionMeta {
  return { ...meta, event: APPOINTMENT_DELETED satisfies AppointmentEvent };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
