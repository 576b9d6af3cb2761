import { SEEN_EVENT } from '@appointment-emissions/contracts';
import type { DashboardServer } from './create-io.ts';
import { seenReport } from './handshake.ts';
import { createSentEmissions } from './sent-emissions.ts';

export interface RenderAcksDeps {
  io: DashboardServer;
  /** @param ms from the POST until the report of a dashboard that it is on the screen */
  onSeen: (ms: number) => void;
  /** Milliseconds since 1970, by the clock that `acceptedAt` is from. */
  now: () => number;
}

const PAUSE_MS = 5_000;
/** Of one emission: thousands of dashboards may show it. */
const MAX_REPORTS = 10;
/** Reports of a socket within the time that emissions are kept, at most one in {@link PAUSE_MS}. */
const MAX_RECENT = 10;

/**
 * Takes a sample of reports from dashboards that an emission is on the screen. A report counts only if this gateway sent
 * that emission live to that dashboard's company within the last 30 s, and once for each dashboard and emission. The
 * time of its acceptance comes from the emission that was sent, so only servers' clocks are compared and no client can
 * report a time of its own.
 */
export function observeRenderAcks({ io, onSeen, now }: RenderAcksDeps): void {
  const sent = createSentEmissions();
  io.on('connection', (socket) => {
    const connectedAt = performance.now();
    let nextAt = -Infinity;
    let recent: string[] = [];
    socket.onAnyOutgoing(sent.note);
    socket.on(SEEN_EVENT, (report: unknown) => {
      const seen = seenReport.safeParse(report);
      const at = performance.now();
      if (!seen.success || at < nextAt) return;
      const { emissionId, acceptedAt } = seen.data;
      const emission = sent.find(emissionId);
      if (emission?.companyId !== socket.data.companyId || emission.sentAt < connectedAt) return;
      if (emission.acceptedAt !== Date.parse(acceptedAt) || recent.includes(emissionId)) return;
      nextAt = at + PAUSE_MS;
      recent = [emissionId, ...recent].slice(0, MAX_RECENT);
      if (emission.reports >= MAX_REPORTS) return;
      emission.reports += 1;
      onSeen(now() - emission.acceptedAt);
    });
  });
}
