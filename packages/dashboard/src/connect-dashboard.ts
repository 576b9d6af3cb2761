import {
  APPOINTMENT_DELETED,
  type AppointmentListener,
  type AppointmentPayload,
  type AppointmentSnapshot,
  type DeletionListener,
  type Id,
  type ReloadReason,
  type SnapshotEvent,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import { type ApiAddress, readApiAddress } from './api-address.ts';
import type { ConnectionState } from './connection.ts';
import { createEditedScreen, type AppointmentPatch, type EditedScreen } from './edits/edited-screen.ts';
import { followLog, type FollowLogDeps } from './follow-log.ts';
import { createListeners, type Listeners } from './listeners.ts';
import type { DashboardOptions, LoadSnapshot } from './options.ts';
import { hasSnapshot } from './reorder-buffer.ts';
import { createScreen, type ShownAppointment } from './screen.ts';

/**
 * State of a dashboard.
 *
 * - `connecting`: no connection. The screen may be out of date.
 * - `catching-up`: connected, and waiting for missed emissions.
 * - `live`: the screen is complete, and new emissions arrive.
 * - `stale`: connected, but new emissions may not arrive: no position or heartbeat for 25 s, or the server cannot read
 *   its database. It becomes `live` again without any action.
 * - `reload-needed`: missed emissions cannot be replayed, or the token has another scope (`reason` is `scope`; the screen is then
 *   empty). With `loadSnapshot` the list is loaded automatically; without it the app must call `reload`. New events are still shown.
 * - `disconnected`: the server ended the connection: the token has expired, or an operator has disconnected the user. A new token
 *   is requested, and the dashboard connects again as soon as `getToken` resolves to one that the server accepts.
 * - `closed`: `close` was called. This state is final.
 */
export type DashboardState = ConnectionState | 'stale' | 'disconnected' | 'closed';

/**
 * Events of a dashboard, for {@link Dashboard.on}.
 *
 * Appointment events are emitted after `appointments` has changed. They are in order: none is older than the snapshot of its
 * appointment that was shown before. A snapshot in them contains the edits of its appointment. `appointment:deleted` says that an appointment was removed: it was deleted, or this dashboard
 * may no longer see it (`reason: 'out-of-scope'`).
 */
export interface DashboardEvents<A = AppointmentSnapshot>
  extends
    Record<SnapshotEvent, AppointmentListener<A>>,
    Record<typeof APPOINTMENT_DELETED, DeletionListener> {
  /** The list was loaded, or the screen was emptied because the token has another scope. Render all rows from it. */
  appointments: (rows: ReadonlyMap<Id, ShownAppointment<A>>) => void;
  /** An edit was shown, rolled back or replaced by a snapshot, see {@link Dashboard.edit}. Render the appointment as it is now. */
  edited: (payload: AppointmentPayload<A>) => void;
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
  /** The newest known snapshot of each appointment with its edits, by `_id`. */
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
  /**
   * Shows new values of an appointment at once, before they are saved (an optimistic edit). `commit` saves them; the result is that
   * of `commit`. If `commit` rejects, the edit is rolled back.
   *
   * The edit stays on top of all snapshots until `commit` has resolved, and then until it is certain that no older snapshot
   * follows: for `timings.confirmMs`. If a snapshot has other values than the edit, `loadSnapshot` shows what was stored. Several edits of
   * one appointment can be open; the last one is on top. The deletion of the appointment ends them.
   *
   * `commit` must reject if nothing was saved. `fetch` does not reject on an error status.
   *
   * @param patch fields as the snapshot has them: dates in ISO 8601, populated references
   * @example
   * ```ts
   * await dashboard.edit(id, { status: 'checked_in' }, async () => {
   *   const reply = await fetch(`/appointments/${id}/check-in`, { method: 'POST' });
   *   if (!reply.ok) throw new Error(`check-in failed: ${reply.status}`);
   * });
   * ```
   */
  edit: <T>(id: Id, patch: AppointmentPatch<A>, commit: () => T | PromiseLike<T>) => Promise<T>;
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
  const screen = createEditedScreen(createScreen(), options.loadSnapshot !== undefined);
  let ignored = 0;

  const follower = followLog({
    options: options as unknown as DashboardOptions,
    address,
    screen,
    ...emitScreenEvents(listeners, screen),
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
    edit: follower.edit,
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

/** Emits each change of the screen as an event. */
function emitScreenEvents(
  { emit }: Listeners<DashboardEvents>,
  screen: EditedScreen,
): Pick<FollowLogDeps, 'onShown' | 'onListed' | 'onEdited'> {
  return {
    onShown(event) {
      const { meta, payload } = event;
      const shown = screen.rows.get(payload.appointment._id);
      if (!hasSnapshot(event)) emit(APPOINTMENT_DELETED, event.payload, meta);
      else if (shown) emit(meta.event as SnapshotEvent, { ...payload, appointment: shown.appointment }, meta);
    },
    onListed() {
      emit('appointments', screen.rows);
    },
    onEdited(id) {
      const shown = screen.rows.get(id);
      if (shown) emit('edited', { appointment: shown.appointment });
    },
  };
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

  function current(): DashboardState {
    if (sequence.state === 'connecting' && liveness.wasDisconnected) return 'disconnected';
    return sequence.state === 'live' && liveness.isStale ? 'stale' : sequence.state;
  }

  return {
    get state() {
      return state;
    },
    get notLiveSince() {
      return notLiveSince;
    },
    update(): void {
      set(current());
    },
    close(): void {
      set('closed');
    },
  };
}
