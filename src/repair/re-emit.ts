import { randomUUID } from 'node:crypto';
import {
  APPOINTMENT_CANCELED,
  APPOINTMENT_CREATED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
  type Id,
  type RepairReport,
} from '@appointment-emissions/contracts';
import { chunks } from '../batching.ts';
import type { WrittenRow } from '../domain/updated-rows.ts';

/** All appointments of a company, or one appointment. */
export type ReEmitSubject = { companyId: Id } | { appointmentId: Id };

export interface ReEmitDeps {
  /**
   * Finds appointments written at `since` (ms since 1970) or later, oldest write first, at most `limit`. `matched`: number of
   * all; `leftOut`: number of those found that cannot be emitted.
   */
  findWritten: (
    subject: ReEmitSubject,
    since: number,
    limit: number,
  ) => Promise<{ rows: WrittenRow[]; matched: number; leftOut: number }>;
  enqueue: (
    emissions: readonly {
      event: AppointmentEvent;
      appointmentId: Id;
      companyId: Id;
      emissionId: string;
      acceptedAt: string;
    }[],
  ) => Promise<void>;
  /** Whether a status means canceled. */
  isCanceled: (status: string | null) => boolean;
  now: () => number;
}

const EMISSIONS_AT_ONCE = 25;
const SHOWN = 20;

/**
 * Emits the current state of each appointment that was written since a time, once. Deleted appointments cannot be emitted.
 * @throws what MongoDB throws; AppError QUEUE_UNAVAILABLE
 */
export function createReEmit({ findWritten, enqueue, isCanceled, now }: ReEmitDeps) {
  return async (
    subject: ReEmitSubject,
    since: number,
    { limit, dryRun }: { limit: number; dryRun: boolean },
  ): Promise<RepairReport> => {
    const { rows, matched, leftOut } = await findWritten(subject, since, limit);
    const acceptedAt = new Date(now()).toISOString();
    const emissions = rows.map(({ appointmentId, companyId, createdAt, status }) => ({
      event: eventOf(createdAt, isCanceled(status), since),
      appointmentId,
      companyId,
      emissionId: randomUUID(),
      acceptedAt,
    }));
    if (!dryRun) {
      for (const slice of chunks(emissions, EMISSIONS_AT_ONCE)) await enqueue(slice);
    }
    return {
      dryRun,
      matched,
      repaired: emissions.length,
      leftOut,
      emissions: emissions
        .slice(0, SHOWN)
        .map(({ emissionId, event, appointmentId }) => ({ emissionId, event, appointmentId })),
    };
  };
}

export type ReEmit = ReturnType<typeof createReEmit>;

/** The event of the last write, as far as the row shows it. Screens use the snapshot, not the event. */
function eventOf(createdAt: number | null, isCanceled: boolean, since: number): AppointmentEvent {
  if (isCanceled) return APPOINTMENT_CANCELED;
  return createdAt !== null && createdAt >= since ? APPOINTMENT_CREATED : APPOINTMENT_UPDATED;
}
