import type {
  AppointmentEvent,
  AppointmentListener,
  Id,
  Place,
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
import { createSequence, type Standing } from './sequence.ts';
import { createTokens } from './tokens.ts';

/**
 * - `connecting`: there is no connection; what is shown may be old;
 * - `catching-up`: connected, and waiting for what was missed;
 * - `live`: all that the server has published is shown, and what it publishes next will be;
 * - `stale`: connected, but changes may not arrive: no position and no heartbeat for 25 s, or the server can't read its
 *   database. It becomes live again by itself;
 * - `reload-needed`: something was missed that can't be replayed. With `loadSnapshot` the list is being loaded;
 *   without it the app must call `reload`. New events are shown meanwhile;
 * - `closed`.
 */
export type DashboardState = Standing | 'stale' | 'closed';

/** An appointment event is told when its snapshot has taken its place among `appointments`, never for an older one. */
export interface DashboardEvents extends Record<AppointmentEvent, AppointmentListener> {
  /** The list was loaded: take all that is shown from here. */
  appointments: (rows: ReadonlyMap<Id, ShownAppointment>) => void;
  /** `reason` tells why a reload is needed. `notLiveSince`: see {@link Dashboard.notLiveSince}. */
  state: (state: DashboardState, reason: ReloadReason | undefined, notLiveSince: Date | undefined) => void;
  /** Something failed that will be tried again: no token, no list, no connection. */
  problem: (error: unknown) => void;
}

export interface Dashboard {
  readonly state: DashboardState;
  /** Up to when what is shown is known to be complete; undefined while live, and before it was live for the first time. */
  readonly notLiveSince: Date | undefined;
  /** The place reached in the company's log; undefined before the server or a list has told it. */
  readonly position: Readonly<Place> | undefined;
  /** The newest snapshot known of each appointment, by `_id`. */
  readonly appointments: ReadonlyMap<Id, ShownAppointment>;
  /** Returns what takes the listener away again. */
  on: <Name extends keyof DashboardEvents>(name: Name, listener: DashboardEvents[Name]) => () => void;
  /**
   * Loads the list, with `loadSnapshot` or with what is given here, and joins it with the events. Rejects where it
   * could not be loaded.
   */
  reload: (load?: LoadSnapshot) => Promise<void>;
  /** Ends the connection and all timers; calling it again does nothing. */
  close: () => void;
}

/**
 * Connects a dashboard: tells the company's appointment events in order, each once and none older than what is shown
 * of its appointment; catches up on what was missed while away. Works by itself until it is closed.
 * @throws TypeError when `url` is no address or `getToken` no function: mistakes in the program
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
  let opened = false;

  const onProblem = (error: unknown) => {
    listeners.emit('problem', error);
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
    onProblem,
  });
  const catchUp = createCatchUp({ timings, random, sequence, connection: () => link.connection, onChange });
  const reloading = createReload({ load, timings, random, tokens, sequence, onListed, onProblem });

  function onChange(): void {
    if (state === 'closed') return;
    catchUp.check();
    reloading.check();
    const { standing } = sequence;
    tell(standing === 'live' && liveness.isStale ? 'stale' : standing);
  }

  function tell(now: DashboardState): void {
    if (now === state && sequence.missing === reason) return;
    if (now === 'live') notLiveSince = undefined;
    else if (state === 'live') notLiveSince = new Date(liveness.lastLiveAt);
    state = now;
    reason = sequence.missing;
    listeners.emit('state', state, reason, notLiveSince);
  }

  function onListed(): void {
    listeners.emit('appointments', screen.rows);
    open();
    onChange();
  }

  function open(): void {
    if (opened) return;
    opened = true;
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
      return sequence.place;
    },
    get appointments() {
      return screen.rows;
    },
    on: listeners.on,
    reload: reloading.reload,
    close(): void {
      if (state === 'closed') return;
      tell('closed');
      reloading.close();
      catchUp.close();
      link.close();
    },
  };
}
