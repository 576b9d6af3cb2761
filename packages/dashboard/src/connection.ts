import { io, type Socket } from 'socket.io-client';
import {
  type Alive,
  ALIVE_EVENT,
  APPOINTMENT_EVENTS,
  CATCH_UP_EVENT,
  DASHBOARD_NAMESPACE,
  PASSED_EVENT,
  TOKEN_EVENT,
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

/**
 * State of a dashboard relative to its company log.
 *
 * | state           | meaning                                                  | leaves it when                                  |
 * | --------------- | -------------------------------------------------------- | ----------------------------------------------- |
 * | `connecting`    | no connection                                            | connected → `catching-up` or `reload-needed`    |
 * | `catching-up`   | waiting for a position, or for missed emissions          | all received → `live`; unrecoverable → `reload-needed` |
 * | `live`          | all known emissions are shown                            | gap or unknown epoch → `catching-up`            |
 * | `reload-needed` | missed emissions cannot be replayed, or another scope     | list applied → `live` or `catching-up`          |
 *
 * Every state changes to `connecting` when the connection ends.
 */
export type ConnectionState = 'connecting' | 'catching-up' | 'reload-needed' | 'live';

/**
 * Why a connection ended.
 *
 * - `refused`: the server rejected the token in the handshake.
 * - `server`: the server disconnected the socket: its token has expired, or an operator disconnected the user.
 * - `lost`: any other cause.
 */
export type EndCause = 'refused' | 'server' | 'lost';

/** Callbacks of one connection. None is called after `onEnd` or `drop`. */
export interface ConnectionEvents {
  onConnect: () => void;
  /** The arguments are not checked yet. */
  onEvent: (event: { payload: unknown; meta: unknown }) => void;
  onPosition: (position: unknown) => void;
  onPassed: (passed: unknown) => void;
  onAlive: (alive: Alive) => void;
  /** The connection ended, or could not be opened. */
  onEnd: (reason: Error, cause: EndCause) => void;
}

export interface Connection {
  /** Requests a catch-up. Rejects if the server does not reply in time. */
  catchUp: (from: StreamPosition, timeoutMs: number) => Promise<unknown>;
  /** Sends a new token. Rejects if the server does not reply in time; an older server does not know the event. */
  renewToken: (token: string, timeoutMs: number) => Promise<unknown>;
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
    end(new Error('the server did not finish the handshake'), 'lost');
  }, handshakeMs);

  function drop(): void {
    clearTimeout(handshakeTimer);
    socket.removeAllListeners();
    socket.disconnect();
  }

  function end(reason: Error, cause: EndCause): void {
    drop();
    events.onEnd(reason, cause);
  }

  socket.on('connect', () => {
    clearTimeout(handshakeTimer);
    events.onConnect();
  });
  socket.on('connect_error', (error) => {
    end(error, isRefusal(error) ? 'refused' : 'lost');
  });
  socket.on('disconnect', (reason) => {
    end(new Error(`disconnected: ${reason}`), reason === 'io server disconnect' ? 'server' : 'lost');
  });
  socket.on(POSITION_EVENT, events.onPosition);
  socket.on(PASSED_EVENT, events.onPassed);
  socket.on(ALIVE_EVENT, events.onAlive);
  for (const event of APPOINTMENT_EVENTS) {
    socket.on(event, (payload: unknown, meta: unknown) => {
      events.onEvent({ payload, meta });
    });
  }

  return {
    catchUp: (from, timeoutMs) => socket.timeout(timeoutMs).emitWithAck(CATCH_UP_EVENT, from),
    renewToken: (token, timeoutMs) => socket.timeout(timeoutMs).emitWithAck(TOKEN_EVENT, { token }),
    acknowledge: (seen) => void socket.volatile.emit(SEEN_EVENT, seen),
    drop,
  };
}

/** Error codes of a handshake that can succeed only with another token. */
const REFUSAL_CODES: readonly string[] = ['TOKEN_INVALID', 'SCOPE_INVALID'];

/** True if the server rejected the token. Only errors that the server sent have `data`; other codes have other causes. */
function isRefusal(error: Error): boolean {
  const { data } = error as { data?: { code?: string } };
  return 'data' in error && REFUSAL_CODES.includes(data?.code ?? 'TOKEN_INVALID');
}
