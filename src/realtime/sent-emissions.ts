import { isAppointmentEvent } from '@appointment-emissions/contracts';
import { createRecent } from './recent.ts';

/** An emission that this gateway has sent to dashboards. */
export interface SentEmission {
  companyId: string;
  /** Milliseconds since 1970, by the servers' clocks. */
  acceptedAt: number;
  /** Milliseconds of this process' monotonic clock. */
  sentAt: number;
  /** Reports that were counted. */
  reports: number;
}

export interface SentEmissions {
  /** For `onAnyOutgoing` of each dashboard's socket, with the arguments of the event. */
  note: (event: unknown, payload: unknown, meta: unknown) => void;
  find: (emissionId: string) => SentEmission | undefined;
}

export interface SentEmissionsDeps {
  /** Called once for each emission, when it is sent to the first dashboard. @param publishedAt  ISO 8601, or what another publisher sent */
  onFirstSent: (publishedAt: string) => void;
}

const KEPT_MS = 30_000;
const MAX_KEPT = 10_000;

/** Keeps the emissions that this gateway sent live within the last {@link KEPT_MS}, at most {@link MAX_KEPT} of them. */
export function createSentEmissions({ onFirstSent }: SentEmissionsDeps): SentEmissions {
  const kept = createRecent<SentEmission>({ keptMs: KEPT_MS, max: MAX_KEPT });
  let latestId: string | undefined;

  return {
    note(event, payload, meta) {
      const { emissionId, acceptedAt, publishedAt, replayed } = fieldsOf(meta);
      // Called once per dashboard of the company: only the first call matters.
      if (emissionId === latestId || typeof emissionId !== 'string' || !isAppointmentEvent(event)) return;
      latestId = emissionId;
      const { companyId } = fieldsOf(fieldsOf(payload).appointment);
      const at = typeof acceptedAt === 'string' ? Date.parse(acceptedAt) : Number.NaN;
      if (replayed === true || Number.isNaN(at) || typeof companyId !== 'string') return;
      if (typeof publishedAt === 'string' && !kept.find(emissionId)) onFirstSent(publishedAt);
      kept.keep(emissionId, { companyId, acceptedAt: at, sentAt: performance.now(), reports: 0 });
    },
    find: kept.find,
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
