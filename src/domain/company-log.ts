import {
  APPOINTMENT_DELETED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
  type AppointmentSnapshot,
  type Id,
  type ReloadReason,
  type StreamPosition,
} from '@appointment-emissions/contracts';

/**
 * The hash tag of all keys of a company, so that a script may use them together on a Cluster. Companies are spread over its slots.
 * @param queuePrefix  `QUEUE_PREFIX`: a name in braces
 * @example companyTag('{emissions}', id) // '{emissions:company:<id>}'
 */
export function companyTag(queuePrefix: string, companyId: Id): string {
  return `{${queuePrefix.slice(1, -1)}:company:${companyId}}`;
}

/** One published emission in the log of its company. It names the appointment; the snapshot is read again. */
export interface LogEntry {
  offset: number;
  event: AppointmentEvent;
  appointmentId: Id;
  emissionId: string;
}

/**
 * Why a log cannot be replayed from a position: another epoch, entries that are no longer kept, more entries than the
 * limit, or (`invalid`) a position or entry that cannot be parsed.
 */
export type MissingReason = Extract<ReloadReason, 'epoch' | 'trimmed' | 'too-many' | 'invalid'>;

/** A company's log after a position. With `missing` there are no entries: the dashboard must reload. */
export interface LogRead {
  head: StreamPosition;
  entries: LogEntry[];
  missing?: MissingReason;
}

/** A confirmed snapshot. Within an epoch (offset, read) orders all snapshots of its appointment. */
export interface ConfirmedSnapshot extends StreamPosition {
  /** Null if the appointment did not exist when it was read. */
  appointment: AppointmentSnapshot | null;
  read: number;
}

/**
 * The event to send for an emission, live or replayed, after its appointment was read. The read alone decides about a
 * deletion: an appointment that does not exist is deleted, whatever the emission announced, and one that exists is not.
 */
export function eventToSend(
  announced: AppointmentEvent,
  appointment: AppointmentSnapshot | null | undefined,
): AppointmentEvent {
  if (!appointment) return APPOINTMENT_DELETED;
  return announced === APPOINTMENT_DELETED ? APPOINTMENT_UPDATED : announced;
}

/**
 * Reads and confirms the newest snapshots of one company's appointments, for a list or a replay, by appointment. An
 * appointment of another company is absent. @throws the errors of MongoDB and Redis
 */
export type TakeSnapshots = (
  companyId: Id,
  appointmentIds: readonly Id[],
) => Promise<Map<Id, ConfirmedSnapshot>>;
