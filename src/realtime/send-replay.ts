import { POSITION_EVENT } from '@appointment-emissions/contracts';
import { coalesce } from '../batching.ts';
import type { Replay } from './catch-up.ts';
import type { DashboardServer, DashboardSocket } from './dashboard-server.ts';
import { writeTogether } from './internals/write-frames.ts';

/** Resolves when the missed emissions, and after them the position, were sent to a dashboard. */
export type SendReplay = (replay: Replay, socket: DashboardSocket) => Promise<void>;

const MAX_TOGETHER = 10_000;

/**
 * Dashboards that get the same replay in the same turn of the event loop share its encoding, and each gets all of it in
 * one write. After a restart of a gateway all dashboards of a company have the same position.
 */
export function createSendReplay(io: DashboardServer): SendReplay {
  function send(replay: Replay, sockets: readonly DashboardSocket[]): void {
    const recipients = io.local.to(sockets.map(({ id }) => id));
    writeTogether(sockets, () => {
      for (const { event, payload, meta } of replay.events) recipients.emit(event, payload, meta);
      recipients.emit(POSITION_EVENT, replay.position);
    });
    for (const { data } of sockets) data.emissions.isCaughtUp = true;
  }

  const sendShared = coalesce<{ replay: Replay; socket: DashboardSocket }, undefined>({
    run(deliveries) {
      const byReplay = new Map<Replay, DashboardSocket[]>();
      for (const { replay, socket } of deliveries) {
        const sockets = byReplay.get(replay);
        if (sockets) sockets.push(socket);
        else byReplay.set(replay, [socket]);
      }
      for (const [replay, sockets] of byReplay) send(replay, sockets);
      return Promise.resolve([]);
    },
    maxBatch: MAX_TOGETHER,
  });
  return async (replay, socket) => {
    await sendShared({ replay, socket });
  };
}
