import { isAppointmentEvent } from '@appointment-emissions/contracts';

/** An emission that this gateway has sent to dashboards. */
export interface SentEmission {
  companyId: string;
  /** ms since the epoch, by the servers' clocks. */
  acceptedAt: number;
  /** ms of this process' monotonic clock. */
  sentAt: number;
  /** Reports that were taken. */
  reports: number;
}

export interface SentEmissions {
  /** For `onAnyOutgoing` of each dashboard's socket; the arguments of what is sent. */
  note: (event: unknown, payload: unknown, meta: unknown) => void;
  find: (emissionId: string) => SentEmission | undefined;
}

const KEPT_MS = 30_000;
const MAX_KEPT = 10_000;

/** Keeps what this gateway sent live within the last {@link KEPT_MS}, at most {@link MAX_KEPT} emissions. */
export function createSentEmissions(): SentEmissions {
  /** The oldest first. */
  const kept = new Map<string, SentEmission>();
  let latestId: string | undefined;

  function forget(now: number): void {
    for (const [id, { sentAt }] of kept) {
      if (now - sentAt <= KEPT_MS && kept.size <= MAX_KEPT) return;
      kept.delete(id);
    }
  }

  return {
    note(event, payload, meta) {
      const { emissionId, acceptedAt, replayed } = fieldsOf(meta);
      // The same one for each dashboard of the company.
      if (emissionId === latestId || typeof emissionId !== 'string' || !isAppointmentEvent(event)) return;
      latestId = emissionId;
      const { companyId } = fieldsOf(fieldsOf(payload).appointment);
      const at = typeof acceptedAt === 'string' ? Date.parse(acceptedAt) : Number.NaN;
      if (replayed === true || Number.isNaN(at) || typeof companyId !== 'string') return;
      const now = performance.now();
      kept.set(emissionId, { companyId, acceptedAt: at, sentAt: now, reports: 0 });
      forget(now);
    },
    find(emissionId) {
      forget(performance.now());
      return kept.get(emissionId);
    },
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
