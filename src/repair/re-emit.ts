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

/** Whose appointments: a company's, or one appointment. */
export type ReEmitSubject = { companyId: Id } | { appointmentId: Id };

interface WrittenRow {
  appointmentId: Id;
  companyId: Id;
  createdAt: number | null;
  status: string | null;
}

export interface ReEmitDeps {
  /**
   * Appointments written since (ms since the epoch), oldest write first, at most `limit`; how many in all, and how many
   * that were met cannot be emitted.
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
  now: () => number;
}

const EMISSIONS_AT_ONCE = 25;
const SHOWN = 20;

/**
 * Emits again what was written since a time: the screens get the newest state of each, once. What was deleted can't be
 * emitted. @throws what MongoDB throws; AppError QUEUE_UNAVAILABLE
 */
export function createReEmit({ findWritten, enqueue, now }: ReEmitDeps) {
  return async (
    subject: ReEmitSubject,
    since: number,
    { limit, dryRun }: { limit: number; dryRun: boolean },
  ): Promise<RepairReport> => {
    const { rows, matched, leftOut } = await findWritten(subject, since, limit);
    const acceptedAt = new Date(now()).toISOString();
    const emissions = rows.map(({ appointmentId, companyId, createdAt, status }) => ({
      event: eventOf(createdAt, status, since),
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

/** What the last write must have been; screens judge by the snapshot anyway. */
function eventOf(createdAt: number | null, status: string | null, since: number): AppointmentEvent {
  if (status === 'canceled') return APPOINTMENT_CANCELED;
  return createdAt !== null && createdAt >= since ? APPOINTMENT_CREATED : APPOINTMENT_UPDATED;
}
