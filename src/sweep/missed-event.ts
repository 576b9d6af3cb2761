import {
  APPOINTMENT_CANCELED,
  APPOINTMENT_CREATED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
} from '@appointment-emissions/contracts';
import type { UpdatedRow } from '../domain/updated-rows.ts';

type Row = Pick<UpdatedRow, 'updatedAt' | 'createdAt' | 'status'>;

/**
 * The event that a row's last write should have caused, or `undefined` if it was published.
 * @param published what was last published of it, if that is known
 * @param terms `windowStart`: ms; rows created later, and never published, are new. `isCanceled`: whether a status means
 * canceled.
 */
export function missedEvent(
  row: Row,
  published: { updatedAt: number; status: string } | undefined,
  { windowStart, isCanceled }: { windowStart: number; isCanceled: (status: string | null) => boolean },
): AppointmentEvent | undefined {
  if (published?.updatedAt === row.updatedAt) return undefined;
  if (!published && row.createdAt !== null && row.createdAt >= windowStart) return APPOINTMENT_CREATED;
  if (isCanceled(row.status) && !(published && isCanceled(published.status))) return APPOINTMENT_CANCELED;
  return APPOINTMENT_UPDATED;
}
