import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import type { AppointmentList, AppointmentSnapshot } from '@appointment-emissions/contracts';
import type { ApiAddressOptions } from './api-address.ts';
import type { ReceivedEvent } from './reorder-buffer.ts';

/**
 * Options of `connectDashboard`. Only `url` and `getToken` are required.
 *
 * @example
 * ```ts
 * const options: DashboardOptions = {
 *   url: 'https://api.example.com',
 *   getToken: async () => (await fetch('/session/dashboard-token', { method: 'POST' })).text(),
 *   loadSnapshot: (token) => fetchAppointments({ url: 'https://api.example.com', token, from, to }),
 *   socketOptions: { transports: ['websocket'] },
 * };
 * ```
 */
export interface DashboardOptions<A = AppointmentSnapshot> extends ApiAddressOptions {
  /**
   * Returns a JWT with the claim `companyId`, which decides whose appointments are shown. It is called at the start, before the
   * current token expires, and after the server has refused a token. It may return the same token again, and it may take long,
   * for example while the user signs in. If it has not settled after `timings.tokenMs`, a `problem` is reported and it is called
   * again; the first token that any of the calls resolves to is used.
   */
  getToken: () => Promise<string>;
  /**
   * Loads the list of appointments. It is called at the start, and whenever missed emissions cannot be replayed. Without it the app
   * must call `reload` in the state `reload-needed`.
   */
  loadSnapshot?: LoadSnapshot<A>;
  /** Options of the Socket.IO connection, such as `path`, `transports` and `withCredentials`. */
  socketOptions?: Partial<ManagerOptions & SocketOptions>;
  /**
   * Share of the shown emissions that is reported to the server, 0 to 1, at most one in ten seconds. Operators see the latency to the
   * screen from it. Default: 0.25.
   */
  acknowledgeShare?: number;
  /** Reports shown events to OpenTelemetry: `traceShown` of `@appointment-emissions/dashboard/tracing`. */
  trace?: ShowTrace | undefined;
  /** Source of randomness for jitter, 0 to 1. Default: `Math.random`. */
  random?: () => number;
  /** Replaces some of the default timings. */
  timings?: Partial<Timings>;
}

/** Follows events from their arrival until they are shown, see {@link DashboardOptions.trace}. */
export interface ShowTrace {
  onReceived: (event: ReceivedEvent) => void;
  /** @param show  shows the event; called once */
  show: (event: ReceivedEvent, show: () => void) => void;
}

/**
 * Requests `GET /api/v1/dashboard/appointments`, as `fetchAppointments` does. If it rejects, it is called again later. If the error
 * has `status: 401` or `code: 'SCOPE_INVALID'`, a new token is requested first.
 */
export type LoadSnapshot<A = AppointmentSnapshot> = (token: string) => Promise<AppointmentList<A>>;

/**
 * Timings in milliseconds.
 *
 * Delays before a retry are random, between 0 and a bound. The bound doubles with each failure, from the first value
 * (`reconnectMs`) to the maximum (`longestReconnectMs`).
 */
export interface Timings {
  /** First bound of the delay before a reconnection. */
  reconnectMs: number;
  longestReconnectMs: number;
  /** A connection that lasts this long resets the bound for reconnections. */
  steadyMs: number;
  /** Timeout of the handshake. */
  handshakeMs: number;
  /** Timeout of the first position of a connection, and of the reply to a catch-up. */
  answerMs: number;
  /** Time after which a `getToken` that has not settled is called again. */
  tokenMs: number;
  /** Time after which a `loadSnapshot` that has not settled is called again. A list that arrives later is ignored. */
  listMs: number;
  /** Without a position or a heartbeat for this long, the state is `stale`. */
  silenceMs: number;
  /** First bound of the delay before a catch-up. */
  catchUpMs: number;
  longestCatchUpMs: number;
  /** First bound of the delay before the list is loaded again. */
  reloadMs: number;
  longestReloadMs: number;
  /**
   * Time for which an edit is shown after its commit, if no list shows earlier what was stored. A snapshot that was read before the
   * commit arrives within it.
   */
  confirmMs: number;
}

export const DEFAULT_TIMINGS: Timings = {
  reconnectMs: 1_000,
  longestReconnectMs: 10_000,
  steadyMs: 5_000,
  handshakeMs: 20_000,
  answerMs: 15_000,
  tokenMs: 60_000,
  listMs: 60_000,
  silenceMs: 25_000,
  catchUpMs: 300,
  longestCatchUpMs: 10_000,
  reloadMs: 1_000,
  longestReloadMs: 30_000,
  confirmMs: 10_000,
};
