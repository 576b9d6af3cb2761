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
  type StreamPosition,
  POSITION_EVENT,
  type Seen,
  SEEN_EVENT,
} from '@appointment-emissions/contracts';
import type { ApiAddress } from './api-address.ts';
import type { DashboardOptions } from './options.ts';

/** Callbacks of one connection. None is called after `onEnd` or `drop`. */
export interface ConnectionEvents {
  onConnect: () => void;
  /** The arguments are not checked yet. */
  onEvent: (event: { payload: unknown; meta: unknown }) => void;
  onPosition: (position: unknown) => void;
  onAlive: (alive: Alive) => void;
  /** The connection ended, or could not be opened. `refused`: the server rejected the token. */
  onEnd: (reason: Error, refused: boolean) => void;
}

export interface Connection {
  /** Requests a catch-up. Rejects if the server does not reply in time. */
  catchUp: (from: StreamPosition, timeoutMs: number) => Promise<unknown>;
  /** Reports that an emission is on the screen. The report is dropped if the socket is not connected. */
  acknowledge: (seen: Seen) => void;
  drop: () => void;
}

/**
 * Opens one connection. It never reconnects: `link.ts` opens a new one instead, with the current token and stream position.
 */
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
  const handshakeTimer = setTimeout(() => {
    end(new Error('the server did not finish the handshake'), false);
  }, handshakeMs);

  function drop(): void {
    clearTimeout(handshakeTimer);
    socket.removeAllListeners();
    socket.disconnect();
  }

  function end(reason: Error, refused: boolean): void {
    drop();
    events.onEnd(reason, refused);
  }

  socket.on('connect', () => {
    clearTimeout(handshakeTimer);
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
    socket.on(event, (payload: unknown, meta: unknown) => {
      events.onEvent({ payload, meta });
    });
  }

  return {
    catchUp: (from, timeoutMs) => socket.timeout(timeoutMs).emitWithAck(CATCH_UP_EVENT, from),
    acknowledge: (seen) => void socket.volatile.emit(SEEN_EVENT, seen),
    drop,
  };
}

/** True if the server rejected the token. Only errors that the server sent have `data`; other codes have other causes. */
function isRefusal(error: Error): boolean {
  const { data } = error as { data?: { code?: string } };
  return 'data' in error && (data?.code ?? 'TOKEN_INVALID') === 'TOKEN_INVALID';
}
