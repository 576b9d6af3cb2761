import type { ReloadReason } from '@appointment-emissions/contracts';

/**
 * Why a dashboard's connection ended: values of the label `reason` of `emission_dashboard_disconnects_total`. The first two are
 * ours, the others are Socket.IO's.
 * - `token expired`
 * - `operator`: an operator disconnected the user or the company
 * - `transport close`, `transport error`: the connection was lost, or the browser closed the page
 * - `ping timeout`: the client did not answer a ping within 18 s
 * - `parse error`: the client sent a packet that is not valid
 * - `forced close`: this process cut the connection; `emission_connections_cut_total` has the reason
 * - `client namespace disconnect`: the client called `disconnect()`
 * - `server namespace disconnect`: code of the application disconnected the socket
 * - `server shutting down`
 */
export const DISCONNECT_REASONS = [
  'token expired',
  'operator',
  'transport close',
  'transport error',
  'ping timeout',
  'parse error',
  'forced close',
  'client namespace disconnect',
  'server namespace disconnect',
  'server shutting down',
  'other',
] as const;

/**
 * Result of a catch-up: values of the label `result` of `emission_catch_ups_total`.
 * - `first`: the dashboard had no position, so that there is nothing to catch up with
 * - `current`: it had missed nothing
 * - `replayed`: all that it had missed was sent
 * - else the reason why it must reload its list
 */
export const CATCH_UP_RESULTS = [
  'first',
  'current',
  'replayed',
  'trimmed',
  'epoch',
  'too-many',
  'gone',
  'invalid',
  'unavailable',
  'rate-limited',
  'scope',
] as const satisfies readonly ('first' | 'current' | 'replayed' | ReloadReason)[];
export type CatchUpResult = (typeof CATCH_UP_RESULTS)[number];
