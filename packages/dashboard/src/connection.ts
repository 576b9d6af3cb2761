import { io, type Socket } from 'socket.io-client';
import {
  type Alive,
  ALIVE_EVENT,
  APPOINTMENT_EVENTS,
  CATCH_UP_EVENT,
  DASHBOARD_NAMESPACE,
  type DashboardAuth,
  type DashboardClientEvents,
  type DashboardServerEvents,
  type Place,
  type Position,
  POSITION_EVENT,
  type Seen,
  SEEN_EVENT,
} from '@appointment-emissions/contracts';
import type { Arrival } from './reorder-buffer.ts';
import type { ApiAddress } from './api-address.ts';
import type { DashboardOptions } from './options.ts';

/** What becomes of one connection; nothing is called any more after `onEnd`, or after it was dropped. */
export interface ConnectionEvents {
  onConnect: () => void;
  onArrival: (arrival: Arrival) => void;
  onPosition: (position: Position) => void;
  onAlive: (alive: Alive) => void;
  /** It is over, or never came about. `refused`: the server does not take our token. */
  onEnd: (reason: Error, refused: boolean) => void;
}

export interface Connection {
  /** Rejects where no answer comes in time. */
  catchUp: (from: Place, timeoutMs: number) => Promise<Position>;
  /** Says that an emission is on the screen; lost where the connection is. */
  acknowledge: (seen: Seen) => void;
  drop: () => void;
}

/** One connection, once: who comes back opens another, with the token and place of then. */
export function openConnection(
  { origin, basePath, socketOptions }: ApiAddress & { socketOptions: DashboardOptions['socketOptions'] },
  auth: DashboardAuth,
  handshakeMs: number,
  events: ConnectionEvents,
): Connection {
  const socket: Socket<DashboardServerEvents, DashboardClientEvents> = io(`${origin}${DASHBOARD_NAMESPACE}`, {
    path: `${basePath}/socket.io`,
    ...socketOptions,
    auth,
    forceNew: true,
    reconnection: false,
    autoConnect: true,
  });
  const tooLate = setTimeout(() => {
    end(new Error('the server did not finish the handshake'), false);
  }, handshakeMs);

  function drop(): void {
    clearTimeout(tooLate);
    socket.removeAllListeners();
    socket.disconnect();
  }

  function end(reason: Error, refused: boolean): void {
    drop();
    events.onEnd(reason, refused);
  }

  socket.on('connect', () => {
    clearTimeout(tooLate);
    events.onConnect();
  });
  socket.on('connect_error', (error) => {
    end(error, isRefusal(error));
  });
  socket.on('disconnect', (reason) => {
    end(new Error(`disconnected: ${reason}`), false);
  });
  socket.on(POSITION_EVENT, events.onPosition);
  socket.on(ALIVE_EVENT, events.onAlive);
  for (const event of APPOINTMENT_EVENTS) {
    socket.on(event, (payload, meta) => {
      events.onArrival({ payload, meta });
    });
  }

  return {
    catchUp: (from, timeoutMs) => socket.timeout(timeoutMs).emitWithAck(CATCH_UP_EVENT, from),
    acknowledge: (seen) => void socket.volatile.emit(SEEN_EVENT, seen),
    drop,
  };
}

/** Only an answer of the server's has `data`; one with another code is not the token's fault. */
function isRefusal(error: Error): boolean {
  const { data } = error as { data?: { code?: string } };
  return 'data' in error && (data?.code ?? 'TOKEN_INVALID') === 'TOKEN_INVALID';
}
