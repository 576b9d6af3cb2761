import {
  APPOINTMENT_CANCELED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
  type Id,
} from '@appointment-emissions/contracts';

/** Fields of a stored appointment that the sweep and repairs need. Times are in ms since 1970. */
export interface UpdatedRow {
  appointmentId: Id;
  companyId: Id;
  updatedAt: number;
  createdAt: number | null;
  status: string | null;
  /** The document is marked as deleted. */
  isDeleted: boolean;
}

/** An {@link UpdatedRow} whose time of writing is not needed, and may be unreadable. */
export type WrittenRow = Omit<UpdatedRow, 'updatedAt'>;

/** What was published last of an appointment: fields of its snapshot, with the time in ms since 1970, or its deletion. */
export type LastPublished =
  | {
      updatedAt: number;
      status: string;
      /** Of the snapshot, see `digestOf`; missing or empty if its worker runs without capture. */
      digest?: string;
    }
  | 'deletion';

/**
 * Resolves to true if this is still what was published last. From then on, a worker that read the appointment earlier cannot
 * publish what it read: it reads again. Otherwise a frozen worker could publish a state that was changed back since.
 * @throws the errors of Redis
 */
export type RefuseEarlierReads = (
  companyId: Id,
  appointmentId: Id,
  published: { digest: string } | 'deletion',
) => Promise<boolean>;

/** An emission of a write that its writer did not announce. */
export interface MissedEmission {
  event: AppointmentEvent;
  appointmentId: Id;
  companyId: Id;
  emissionId: string;
  /** ISO 8601. */
  acceptedAt: string;
}

/** A row that cannot be emitted, and the field that is the reason. */
export interface LeftOutRow {
  /** Identifies the row. */
  key: string;
  /** Null if `_id` is not an ObjectId: it could contain anything, personal data too. */
  appointmentId: Id | null;
  field: '_id' | 'companyId' | 'updatedAt';
}

/** A position in the order of `(updatedAt, _id)`. */
export interface Cursor {
  updatedAt: number;
  /** `''` is before every appointment of that time. */
  appointmentId: Id;
}

export interface UpdatedPage {
  rows: UpdatedRow[];
  leftOut: LeftOutRow[];
  /** Where the next page begins; `undefined` after the last page. It follows from what MongoDB returned, not from `rows`. */
  next: Cursor | undefined;
}

/**
 * Finds rows after `after` whose `updatedAt` is at most `until`, in order, at most `limit`.
 * @param until  ms since 1970; if `undefined`, rows of any later time are found
 */
export type FindUpdated = (after: Cursor, until: number | undefined, limit: number) => Promise<UpdatedPage>;

/** The event of a write to an appointment that is neither new nor deleted. @param published  its state before, if known */
export function eventOfWrite(
  status: string | null,
  published: { status: string } | undefined,
  isCanceled: (status: string | null) => boolean,
): AppointmentEvent {
  const becameCanceled = isCanceled(status) && !(published && isCanceled(published.status));
  return becameCanceled ? APPOINTMENT_CANCELED : APPOINTMENT_UPDATED;
}
