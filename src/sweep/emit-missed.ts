import {
  APPOINTMENT_CREATED,
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type Id,
} from '@appointment-emissions/contracts';
import {
  eventOfWrite,
  type LastPublished,
  type MissedEmission,
  type UpdatedRow,
} from '../domain/updated-rows.ts';

export interface EmitMissedDeps {
  lastPublished: (companyId: Id, appointmentId: Id) => Promise<LastPublished | undefined>;
  enqueue: (emissions: readonly MissedEmission[]) => Promise<void>;
  /** Whether a status means canceled. */
  isCanceled: (status: string | null) => boolean;
  /** True if a server is unavailable: on a Cluster one master may be away while the others work. */
  isUnavailable: (error: unknown) => boolean;
}

/** Ids of checked rows. */
export interface MissedRows {
  emitted: ReadonlySet<Id>;
  /** Rows of companies whose master is away: they must be checked again. */
  unchecked: ReadonlySet<Id>;
}

/**
 * Emits the rows whose last write was not published. The emission id is derived from the
 * appointment and its `updatedAt`, so a row that is found twice adds one job.
 * @param time  ms since 1970. Rows created after `windowStart` that were never published count as new.
 */
export type EmitMissed = (
  rows: readonly UpdatedRow[],
  time: { windowStart: number; now: number },
) => Promise<MissedRows>;

export function createEmitMissed({
  lastPublished,
  enqueue,
  isCanceled,
  isUnavailable,
}: EmitMissedDeps): EmitMissed {
  return async (rows, { windowStart, now }) => {
    const unchecked = new Set<Id>();
    const found = await Promise.all(
      rows.map(async (row) => {
        try {
          const published = await lastPublished(row.companyId, row.appointmentId);
          const event = missedEvent(row, published, { windowStart, isCanceled });
          return event && toEmission(row, event, now);
        } catch (error) {
          if (!isUnavailable(error)) throw error;
          unchecked.add(row.appointmentId);
          return undefined;
        }
      }),
    );
    const emissions = found.filter((emission) => emission !== undefined);
    if (emissions.length > 0) await enqueue(emissions);
    return { emitted: new Set(emissions.map(({ appointmentId }) => appointmentId)), unchecked };
  };
}

function toEmission(row: UpdatedRow, event: AppointmentEvent, now: number): MissedEmission {
  const { appointmentId, companyId, updatedAt } = row;
  const emissionId = `sweep-${appointmentId}-${updatedAt}`;
  return { event, appointmentId, companyId, emissionId, acceptedAt: new Date(now).toISOString() };
}

type Row = Pick<UpdatedRow, 'updatedAt' | 'createdAt' | 'status' | 'isDeleted'>;

/**
 * The event that a row's last write should have caused, or `undefined` if it was published.
 * @param lastPublished what was published last, if it is known. After a deletion, a row that is not marked as deleted is
 * another one, and a row that is marked needs no event, whatever is written to it.
 * @param terms `windowStart`: ms; rows created later, and never published, are new. `isCanceled`: whether a status means
 * canceled.
 */
export function missedEvent(
  row: Row,
  lastPublished: LastPublished | undefined,
  { windowStart, isCanceled }: { windowStart: number; isCanceled: (status: string | null) => boolean },
): AppointmentEvent | undefined {
  if (row.isDeleted) return lastPublished === 'deletion' ? undefined : APPOINTMENT_DELETED;
  const published = lastPublished === 'deletion' ? undefined : lastPublished;
  if (published?.updatedAt === row.updatedAt) return undefined;
  if (!published && row.createdAt !== null && row.createdAt >= windowStart) return APPOINTMENT_CREATED;
  return eventOfWrite(row.status, published, isCanceled);
}
