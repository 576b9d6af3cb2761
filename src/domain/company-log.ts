import type {
  AppointmentEvent,
  AppointmentSnapshot,
  Id,
  ReloadReason,
  StreamPosition,
} from '@appointment-emissions/contracts';

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
  appointment: AppointmentSnapshot;
  read: number;
}

/**
 * Reads and confirms the newest snapshots of one company's appointments, for a list or a replay, by appointment. An
 * appointment that does not exist, or is another company's, is absent. @throws the errors of MongoDB and Redis
 */
export type TakeSnapshots = (
  companyId: Id,
  appointmentIds: readonly Id[],
) => Promise<Map<Id, ConfirmedSnapshot>>;
