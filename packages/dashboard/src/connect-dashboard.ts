import type {
  AppointmentEvent,
  AppointmentListener,
  Id,
  StreamPosition,
  ReloadReason,
} from '@appointment-emissions/contracts';
import { createAcknowledge } from './acknowledge.ts';
import { readApiAddress } from './api-address.ts';
import { createCatchUp } from './catch-up.ts';
import { createLink } from './link.ts';
import { createListeners } from './listeners.ts';
import { createLiveness } from './liveness.ts';
import { DEFAULT_TIMINGS, type DashboardOptions, type LoadSnapshot } from './options.ts';
import { createReload } from './reload.ts';
import { createScreen, type ShownAppointment } from './screen.ts';
import { createSequence, type ConnectionState } from './sequence.ts';
import { createTokens } from './tokens.ts';

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
 * Appointment events are emitted after their snapshot is in `appointments`. They are in order, and none is older than the
 * snapshot that was shown before.
 */
export interface DashboardEvents extends Record<AppointmentEvent, AppointmentListener> {
  /** The list was loaded. Render all rows from it. */
  appointments: (rows: ReadonlyMap<Id, ShownAppointment>) => void;
  /** The state changed. `reason` is set if a reload is needed. For `notLiveSince` see {@link Dashboard.notLiveSince}. */
  state: (state: DashboardState, reason: ReloadReason | undefined, notLiveSince: Date | undefined) => void;
  /** A token, list or connection request failed. It will be retried, so it is enough to log the error. */
  problem: (error: unknown) => void;
}

/** A connected dashboard, see {@link connectDashboard}. */
export interface Dashboard {
  readonly state: DashboardState;
  /** Time up to which the screen is known to be complete. Undefined while live, and until it is live for the first time. */
  readonly notLiveSince: Date | undefined;
  /** The stream position reached. Undefined until the server or a list has provided it. */
  readonly position: Readonly<StreamPosition> | undefined;
  /** The newest known snapshot of each appointment, by `_id`. */
  readonly appointments: ReadonlyMap<Id, ShownAppointment>;
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
  on: <Name extends keyof DashboardEvents>(name: Name, listener: DashboardEvents[Name]) => () => void;
  /**
   * Loads the list with `load`, or with `loadSnapshot` if it is omitted, and merges it with the events. Call it to show another
   * range of time. Rejects if the list cannot be loaded.
   *
   * @example
   * ```ts
   * await dashboard.reload((token) => fetchAppointments({ url, token, from: monday, to: nextMonday }));
   * ```
   */
  reload: (load?: LoadSnapshot) => Promise<void>;
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
 * @throws TypeError if `url` is no address or `getToken` is no function: mistakes in the program
 */
export function connectDashboard(options: DashboardOptions): Dashboard {
  const { loadSnapshot: load, random = Math.random } = options;
  if (typeof options.getToken !== 'function') {
    throw new TypeError('getToken is missing: give a function that resolves to a token');
  }
  const address = readApiAddress(options);
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const listeners = createListeners<DashboardEvents>();
  const screen = createScreen();
  const tokens = createTokens({ getToken: options.getToken, firstPauseMs: timings.reconnectMs });
  const sequence = createSequence({
    screen,
    onShown: ({ payload, meta }) => {
      listeners.emit(meta.event, payload, meta);
      acknowledge(meta);
    },
  });
  const acknowledge = createAcknowledge({
    share: options.acknowledgeShare ?? 0.25,
    random,
    send: (seen) => link.connection?.acknowledge(seen),
  });
  let state: DashboardState = 'connecting';
  let reason: ReloadReason | undefined;
  let notLiveSince: Date | undefined;
  let isOpened = false;
  let ignored = 0;

  const onProblem = (error: unknown) => {
    listeners.emit('problem', error);
  };
  const onIgnored = () => {
    ignored += 1;
  };
  const liveness = createLiveness({ silenceMs: timings.silenceMs, onSilent: onChange });
  const link = createLink({
    options,
    address,
    timings,
    random,
    tokens,
    sequence,
    liveness,
    onChange,
    onIgnored,
    onProblem,
  });
  const catchUp = createCatchUp({ timings, random, sequence, connection: () => link.connection, onChange });
  const reloading = createReload({ load, timings, random, tokens, sequence, onListed, onProblem });

  function onChange(): void {
    if (state === 'closed') return;
    catchUp.check();
    reloading.check();
    const { standing } = sequence;
    setState(standing === 'live' && liveness.isStale ? 'stale' : standing);
  }

  function setState(next: DashboardState): void {
    if (next === state && sequence.reloadReason === reason) return;
    if (next === 'live') notLiveSince = undefined;
    else if (state === 'live') notLiveSince = new Date(liveness.lastLiveAt);
    state = next;
    reason = sequence.reloadReason;
    listeners.emit('state', state, reason, notLiveSince);
  }

  function onListed(): void {
    listeners.emit('appointments', screen.rows);
    open();
    onChange();
  }

  function open(): void {
    if (isOpened) return;
    isOpened = true;
    link.open();
  }

  if (load) reloading.start();
  else open();

  return {
    get state() {
      return state;
    },
    get notLiveSince() {
      return notLiveSince;
    },
    get position() {
      return sequence.position;
    },
    get appointments() {
      return screen.rows;
    },
    get ignored() {
      return ignored;
    },
    on: listeners.on,
    reload: reloading.reload,
    close(): void {
      if (state === 'closed') return;
      setState('closed');
      reloading.close();
      catchUp.close();
      link.close();
    },
  };
}
