import {
  type AppointmentSnapshot,
  type EmissionMeta,
  isAppointmentEvent,
} from '@appointment-emissions/contracts';
import type { Logger } from '../process/logger.ts';
import type { DashboardSocket } from './dashboard-server.ts';

const EARLY_TOKENS_EVERY_MS = 10_000;

/**
 * Returns the function that observes a dashboard's socket. It logs a line `delivered` for each event when it is written to
 * the connection; the dashboard may not have read it yet. Only at level `debug`, since a busy room would fill the disk. At
 * other levels it adds no listener.
 */
export function createLogDeliveries(logger: Logger): (socket: DashboardSocket) => void {
  return (socket) => {
    if (!logger.isLevelEnabled('debug')) return;
    socket.onAnyOutgoing((event: unknown, ...args: unknown[]) => {
      if (!isAppointmentEvent(event)) return;
      // An event of another publisher may have neither. An error here would stop it for the room's other sockets.
      const [payload, meta] = args as [
        { appointment?: Partial<AppointmentSnapshot> }?,
        Partial<EmissionMeta>?,
      ];
      const { emissionId, attempt, offset, replayed, publishedAt } = meta ?? {};
      const tookMs = Date.now() - (typeof publishedAt === 'string' ? Date.parse(publishedAt) : Number.NaN);
      logger.debug(
        {
          emissionId,
          appointmentId: payload?.appointment?._id,
          attempt,
          offset,
          replayed,
          socketId: socket.id,
          tookMs,
        },
        'delivered',
      );
    });
  };
}

/**
 * Logs tokens that are refused because their `nbf` is in the future, at most one line every 10 s. The clock of their
 * issuer is wrong.
 */
export function createLogEarlyTokens(logger: Logger) {
  let loggedAt = -Infinity;
  let tokens = 0;
  return (aheadMs: number): void => {
    tokens += 1;
    if (performance.now() - loggedAt < EARLY_TOKENS_EVERY_MS) return;
    logger.warn({ tokens, aheadMs: Math.round(aheadMs) }, 'tokens are not valid yet');
    loggedAt = performance.now();
    tokens = 0;
  };
}
