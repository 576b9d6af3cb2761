import type { Socket } from 'socket.io';
import {
  type DashboardClientEvents,
  type DashboardServerEvents,
  POSITION_EVENT,
} from '@appointment-emissions/contracts';
import { coalesce } from '../batching.ts';
import type { Replay } from './catch-up.ts';
import type { DashboardServer, SocketData } from './create-io.ts';
import { writeTogether } from './write-frames.ts';

export type DashboardSocket = Socket<
  DashboardClientEvents,
  DashboardServerEvents,
  Record<string, never>,
  SocketData
>;

/** Resolves when a dashboard has been sent what it missed, and after it where it stands. */
export type SendReplay = (replay: Replay, socket: DashboardSocket) => Promise<void>;

const MOST_TOGETHER = 10_000;

/**
 * Dashboards that are sent the same replay in the same turn of the event loop share its encoding, and each is written to
 * once: after a restart all of a company come back to the same place.
 */
export function createSendReplay(io: DashboardServer): SendReplay {
  function send(replay: Replay, sockets: readonly DashboardSocket[]): void {
    const them = io.local.to(sockets.map(({ id }) => id));
    writeTogether(sockets, () => {
      for (const { event, payload, meta } of replay.events) them.emit(event, payload, meta);
      them.emit(POSITION_EVENT, replay.position);
    });
    for (const { data } of sockets) data.isPlaced = true;
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
    maxBatch: MOST_TOGETHER,
  });
  return async (replay, socket) => {
    await sendShared({ replay, socket });
  };
}
