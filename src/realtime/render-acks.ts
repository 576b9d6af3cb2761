import { SEEN_EVENT } from '@appointment-emissions/contracts';
import { seenReport, splitArguments } from './handshake.ts';
import type { DashboardSocket } from './dashboard-server.ts';
import { createSentEmissions } from './sent-emissions.ts';

export interface RenderAcksDeps {
  /** @param ms from the POST until a dashboard reported that it shows the emission */
  onSeen: (ms: number) => void;
  /** @param ms from the publication of an emission until this gateway sent it to the first dashboard; clock skew is part of it */
  onDelivered: (ms: number) => void;
  /** Milliseconds since 1970, by the clock that `acceptedAt` is from. */
  now: () => number;
}

/** A socket's reports count at most once in this time. */
const MIN_INTERVAL_MS = 5_000;
/** Reports that count per emission: thousands of dashboards may show it. */
const MAX_REPORTS = 10;
/** Reports of a socket within the time that sent emissions are kept. */
const MAX_RECENT = 10;
const REPORT_SHAPE = 'send emissionId and acceptedAt from the meta of an appointment event';

/**
 * Returns the function that observes a dashboard's socket. It samples the reports of dashboards that an emission is on the
 * screen. A report counts if this gateway sent that emission live to that dashboard's company within the last 30 s, and
 * once for each dashboard and emission. `acceptedAt` is taken from the emission that was sent. So only clocks of servers
 * are compared, and a client cannot report a time of its own.
 */
export function createObserveRenderAcks({
  onSeen,
  onDelivered,
  now,
}: RenderAcksDeps): (socket: DashboardSocket) => void {
  const sent = createSentEmissions({
    onFirstSent: (publishedAt) => {
      onDelivered(now() - Date.parse(publishedAt));
    },
  });
  return (socket) => {
    const connectedAt = performance.now();
    let nextAt = -Infinity;
    let recent: string[] = [];
    socket.onAnyOutgoing(sent.note);

    function count({ emissionId, acceptedAt }: { emissionId: string; acceptedAt: string }): void {
      const at = performance.now();
      if (at < nextAt) return;
      const emission = sent.find(emissionId);
      if (emission?.companyId !== socket.data.emissions.companyId || emission.sentAt < connectedAt) return;
      if (emission.acceptedAt !== Date.parse(acceptedAt) || recent.includes(emissionId)) return;
      nextAt = at + MIN_INTERVAL_MS;
      recent = [emissionId, ...recent].slice(0, MAX_RECENT);
      if (emission.reports >= MAX_REPORTS) return;
      emission.reports += 1;
      onSeen(now() - emission.acceptedAt);
    }

    // Our library requests no acknowledgement. A client that requests one gets one.
    socket.on(SEEN_EVENT, (...args: unknown[]) => {
      const { given, acknowledge } = splitArguments(args);
      const report = given.length === 1 ? seenReport.safeParse(given[0]).data : undefined;
      acknowledge?.(report ? { ok: true } : { ok: false, code: 'INVALID_REQUEST', message: REPORT_SHAPE });
      if (report) count(report);
    });
  };
}
