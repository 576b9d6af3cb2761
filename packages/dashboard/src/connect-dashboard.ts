import {
  APPOINTMENT_DELETED,
  type AppointmentListener,
  type AppointmentSnapshot,
  type DeletionListener,
  type Id,
  type ReloadReason,
  type SnapshotEvent,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import { type ApiAddress, readApiAddress } from './api-address.ts';
import { followLog } from './follow-log.ts';
import { createListeners, type Listeners } from './listeners.ts';
import type { DashboardOptions, LoadSnapshot } from './options.ts';
import { hasSnapshot, type ReceivedEvent } from './reorder-buffer.ts';
import { createScreen, type ShownAppointment } from './screen.ts';
import type { ConnectionState } from './sequence.ts';

/**
 * State of a dashboard.
 *
 * - `connecting`: no connection. The screen may be out of date.
 * - `catching-up`: connected, and waiting for missed emissions.
 * - `live`: the screen is complete, and new emissions arrive.
 * - `stale`: connected, but new emissions may not arrive: no position or heartbeat for 25 s, or the server cannot read
 *   its database. It becomes `live` again without any action.
 * - `reload-needed`: missed emissions cannot be replayed. With `loadSnapshot` the list is loaded automatically; without it the
 *   app must call `reload`. New events are still shown.
 * - `closed`: `close` was called. This state is final.
 */
export type DashboardState = ConnectionState | 'stale' | 'closed';

/**
 * Events of a dashboard, for {@link Dashboard.on}.
 *
 * Appointment events are emitted after `appointments` has changed. They are in order: none is older than the snapshot of its
 * appointment that was shown before. `appointment:deleted` says that an appointment was removed: it was deleted, or this dashboard
 * may no longer see it (`reason: 'out-of-scope'`).
 */
export interface DashboardEvents<A = AppointmentSnapshot>
  extends
    Record<SnapshotEvent, AppointmentListener<A>>,
    Record<typeof APPOINTMENT_DELETED, DeletionListener> {
  /** The list was loaded. Render all rows from it. */
  appointments: (rows: ReadonlyMap<Id, ShownAppointment<A>>) => void;
  /** The state changed. `reason` is set if a reload is needed. For `notLiveSince` see {@link Dashboard.notLiveSince}. */
  state: (state: DashboardState, reason: ReloadReason | undefined, notLiveSince: Date | undefined) => void;
  /** A token, list or connection request failed. It will be retried, so it is enough to log the error. */
  problem: (error: unknown) => void;
}

/** A connected dashboard, see {@link connectDashboard}. */
export interface Dashboard<A = AppointmentSnapshot> {
  readonly state: DashboardState;
  /** Time up to which the screen is known to be complete. Undefined while live, and until it is live for the first time. */
  readonly notLiveSince: Date | undefined;
  /** The stream position reached. Undefined until the server or a list has provided it. */
  readonly position: Readonly<StreamPosition> | undefined;
  /** The newest known snapshot of each appointment, by `_id`. */
  readonly appointments: ReadonlyMap<Id, ShownAppointment<A>>;
  /** Number of appointment events without a usable `meta`. They are from another publisher and are not shown. */
  readonly ignored: number;
  /**
   * Adds a listener. Returns a function that removes it.
   *
   * @example
   * ```ts
   * const stop = dashboard.on('appointment:canceled', ({ appointment }) => strikeThrough(appointment._id));
   * stop();
   * ```
   */
  on: <Name extends keyof DashboardEvents<A>>(name: Name, listener: DashboardEvents<A>[Name]) => () => void;
  /**
   * Loads the list with `load`, or with `loadSnapshot` if it is omitted, and merges it with the events. Call it to show another
   * range of time. Rejects if the list cannot be loaded.
   *
   * @example
   * ```ts
   * await dashboard.reload((token) => fetchAppointments({ url, token, from: monday, to: nextMonday }));
   * ```
   */
  reload: (load?: LoadSnapshot<A>) => Promise<void>;
  /** Closes the connection and stops all timers. Calling it again has no effect. */
  close: () => void;
}

/**
 * Connects a dashboard to the appointment events of a company.
 *
 * It emits events in order and without duplicates, catches up on missed emissions after a lost connection, and renews the
 * token. It reconnects until `close` is called.
 *
 * @example
 * ```ts
 * const url = 'https://api.example.com';
 * const dashboard = connectDashboard({
 *   url,
 *   getToken,
 *   loadSnapshot: (token) => fetchAppointments({ url, token, from, to }),
 * });
 * dashboard.on('appointments', (rows) => renderAll(rows));
 * dashboard.on('appointment:updated', ({ appointment }) => render(appointment));
 * dashboard.on('state', (state) => showBadge(state));
 * ```
 * If the server's model description adds fields or names others, describe its snapshots by a type:
 *
 * @example
 * ```ts
 * interface MyAppointment {
 *   _id: string;
 *   status: 'scheduled' | 'checked_in' | 'completed' | 'canceled' | null;
 *   roomId: { _id: string; name: string } | null;
 * }
 * const dashboard = connectDashboard<MyAppointment>({ url, getToken });
 * dashboard.on('appointment:updated', ({ appointment }) => showRoom(appointment.roomId?.name));
 * ```
 * @typeParam A the type of the snapshots. It is not checked at run time
 * @throws TypeError if `url` is not an address, or `getToken` is not a function
 */
export function connectDashboard<A extends { _id: Id } = AppointmentSnapshot>(
  options: DashboardOptions<A>,
): Dashboard<A> {
  const address = checkOptions(options);
  const listeners = createListeners<DashboardEvents>();
  const screen = createScreen();
  let ignored = 0;

  const follower = followLog({
    options: options as unknown as DashboardOptions,
    address,
    screen,
    onShown: (event) => {
      emitEvent(listeners, event);
    },
    onListed: () => {
      listeners.emit('appointments', screen.rows);
    },
    onChange: () => {
      tracker.update();
    },
    onIgnored: () => {
      ignored += 1;
    },
    onProblem: (error) => {
      listeners.emit('problem', error);
    },
  });

  const tracker = trackState(follower, (...change) => {
    listeners.emit('state', ...change);
  });

  follower.start();
  const dashboard: Dashboard = {
    get state() {
      return tracker.state;
    },
    get notLiveSince() {
      return tracker.notLiveSince;
    },
    get position() {
      return follower.sequence.position;
    },
    get appointments() {
      return screen.rows;
    },
    get ignored() {
      return ignored;
    },
    on: listeners.on,
    reload: follower.reload,
    close(): void {
      if (tracker.state === 'closed') return;
      tracker.close();
      follower.close();
    },
  };
  return dashboard as unknown as Dashboard<A>;
}

function checkOptions<A>(options: DashboardOptions<A>): ApiAddress {
  if (typeof options.getToken !== 'function') {
    throw new TypeError('getToken is missing: give a function that resolves to a token');
  }
  return readApiAddress(options);
}

function emitEvent({ emit }: Listeners<DashboardEvents>, event: ReceivedEvent): void {
  if (hasSnapshot(event)) emit(event.meta.event as SnapshotEvent, event.payload, event.meta);
  else emit(APPOINTMENT_DELETED, event.payload, event.meta);
}

/** Derives the state of a dashboard from its sequence and its liveness, and reports each change. */
function trackState(
  { sequence, liveness }: Pick<ReturnType<typeof followLog>, 'sequence' | 'liveness'>,
  onState: DashboardEvents['state'],
) {
  let state: DashboardState = 'connecting';
  let reason: ReloadReason | undefined;
  let notLiveSince: Date | undefined;

  function set(next: DashboardState): void {
    if (next === state && sequence.reloadReason === reason) return;
    if (next === 'live') notLiveSince = undefined;
    else if (state === 'live') notLiveSince = new Date(liveness.lastLiveAt);
    state = next;
    reason = sequence.reloadReason;
    onState(state, reason, notLiveSince);
  }

  return {
    get state() {
      return state;
    },
    get notLiveSince() {
      return notLiveSince;
    },
    update(): void {
      set(sequence.state === 'live' && liveness.isStale ? 'stale' : sequence.state);
    },
    close(): void {
      set('closed');
    },
  };
}
