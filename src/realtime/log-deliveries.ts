import {
  type AppointmentSnapshot,
  type EmissionMeta,
  isAppointmentEvent,
} from '@appointment-emissions/contracts';
import type { Logger } from '../process/logger.ts';
import type { DashboardServer } from './create-io.ts';

/**
 * A line for each event and dashboard, `delivered`: written to its connection, not yet read by it. At level `debug`
 * only: a busy room would fill the disk, and else nothing here runs.
 */
export function logDeliveries(io: DashboardServer, logger: Logger): void {
  if (!logger.isLevelEnabled('debug')) return;
  io.on('connection', (socket) => {
    socket.onAnyOutgoing((event: unknown, ...args: unknown[]) => {
      if (!isAppointmentEvent(event)) return;
      // Another publisher's event may have neither; a throw here would keep it from the room's other sockets.
      const [payload, meta] = args as [
        { appointment?: Partial<AppointmentSnapshot> }?,
        Partial<EmissionMeta>?,
      ];
      const { emissionId, attempt, offset, replayed, publishedAt } = meta ?? {};
      const tookMs = Date.now() - Date.parse(String(publishedAt));
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
  });
}
