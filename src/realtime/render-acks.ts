import { SEEN_EVENT } from '@appointment-emissions/contracts';
import type { DashboardServer } from './create-io.ts';
import { seenReport } from './handshake.ts';

export interface HearSeenDeps {
  io: DashboardServer;
  /** @param ms from the POST until a dashboard's word that it is on the screen was back */
  onSeen: (ms: number) => void;
}

const PAUSE_MS = 5_000;
/** Above this a dashboard tells tales. */
const LONGEST_MS = 600_000;

/**
 * Hears from dashboards, now and then, that an emission is on the screen. Servers' clocks alone are compared: a
 * dashboard only repeats when it was accepted. What does not fit, or comes too often, is left unheard.
 */
export function hearSeen({ io, onSeen }: HearSeenDeps): void {
  io.on('connection', (socket) => {
    let nextAt = 0;
    socket.on(SEEN_EVENT, (report: unknown) => {
      const now = Date.now();
      const seen = seenReport.safeParse(report);
      if (!seen.success || now < nextAt) return;
      nextAt = now + PAUSE_MS;
      const ms = now - Date.parse(seen.data.acceptedAt);
      if (ms >= 0 && ms <= LONGEST_MS) onSeen(ms);
    });
  });
}
