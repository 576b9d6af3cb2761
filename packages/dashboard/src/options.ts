import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import type { AppointmentList } from '@appointment-emissions/contracts';
import type { ApiAddressOptions } from './api-address.ts';

export interface DashboardOptions extends ApiAddressOptions {
  /**
   * Gives a JWT of the company whose appointments are shown. Asked at first, before the token held expires, and when
   * the server refuses it; it may return the same one as before, or take long, as where somebody has to sign in.
   */
  getToken: () => Promise<string>;
  /** Loads the list, at first and whenever what was missed can't be replayed. Without it the app calls `reload`. */
  loadSnapshot?: LoadSnapshot;
  /** For the connection: `path`, `transports`, `withCredentials` and the like. */
  socketOptions?: Partial<ManagerOptions & SocketOptions>;
  /**
   * 0 to 1: which share of the emissions shown the server is told of, so that its operator sees how long they take to
   * the screen; never more than one in ten seconds. 0.25 without it.
   */
  acknowledgeShare?: number;
  /** 0 to 1, for jitter. */
  random?: () => number;
  timings?: Partial<Timings>;
}

/**
 * Asks `GET /api/v1/dashboard/appointments`, as `fetchAppointments` does. A rejection is tried again later; one with
 * `status: 401` has the token replaced.
 */
export type LoadSnapshot = (token: string) => Promise<AppointmentList>;

/** All in milliseconds. Delays are bounds of what chance decides; after a failure they double up to the longest. */
export interface Timings {
  reconnectMs: number;
  longestReconnectMs: number;
  /** A connection that lasted this long makes the next delay a first one again. */
  steadyMs: number;
  handshakeMs: number;
  /** For the server's word where we stand, and for the answer to a catch-up. */
  answerMs: number;
  /** Without a position or a heartbeat for so long, what is shown may be old. */
  silenceMs: number;
  catchUpMs: number;
  longestCatchUpMs: number;
  reloadMs: number;
  longestReloadMs: number;
}

export const DEFAULT_TIMINGS: Timings = {
  reconnectMs: 1_000,
  longestReconnectMs: 10_000,
  steadyMs: 5_000,
  handshakeMs: 20_000,
  answerMs: 15_000,
  silenceMs: 25_000,
  catchUpMs: 300,
  longestCatchUpMs: 10_000,
  reloadMs: 1_000,
  longestReloadMs: 30_000,
};
