import { APPOINTMENT_EVENTS, type AppointmentSnapshot, type Id } from '@appointment-emissions/contracts';
import {
  type AppointmentPatch,
  connectDashboard,
  type Dashboard,
  type DashboardOptions,
  type DashboardState,
  fetchAppointments,
} from '../index.ts';

/** Range of time of a list: appointments with `from ≤ start < to`, at most 62 days. */
export interface AppointmentRange {
  from: Date | string;
  to: Date | string;
}

/** Options of `connectDashboard`, and the range to show. The list of the range is loaded automatically. */
export interface AppointmentsOptions<A extends { _id: Id } = AppointmentSnapshot>
  extends Omit<DashboardOptions<A>, 'loadSnapshot'>, AppointmentRange {}

/** What a screen shows. It is immutable: after each change there is another object. */
export interface AppointmentsView<A = AppointmentSnapshot> {
  /** The appointments of the range, ordered by their start. An unchanged appointment is the same object as before. */
  readonly appointments: readonly A[];
  readonly state: DashboardState;
  /** Time up to which the appointments are known to be complete. Undefined while live. */
  readonly notLiveSince: Date | undefined;
  /** True until the list of the range is shown, also if it is loaded again because the token has another scope. */
  readonly isLoading: boolean;
  /** The last problem, such as a token or list request that failed. It is retried. Undefined while live. */
  readonly problem: unknown;
}

/** The view before the first connection, and on a server that renders the page. */
export const EMPTY_VIEW: AppointmentsView<never> = Object.freeze({
  appointments: Object.freeze([]),
  state: 'connecting',
  notLiveSince: undefined,
  isLoading: true,
  problem: undefined,
});

const RETRY_MS = 3_000;

/**
 * Keeps a view of one range up to date while it has a subscriber. The first subscriber opens the connection. When the last one
 * unsubscribes, a timer of 0 ms closes it, so that a component that is unmounted and mounted again at once keeps the connection.
 */
export function createAppointmentsStore<A extends { _id: Id }>(first: AppointmentsOptions<A>) {
  let options = first;
  let view: AppointmentsView<A> = EMPTY_VIEW;
  let connected: RangeConnection<A> | undefined;
  let closing: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();

  const onChange = createBatch(() => {
    if (connected === undefined) return;
    view = viewOf(connected, options);
    for (const listener of listeners) listener();
  });

  function close(): void {
    connected?.close();
    connected = undefined;
    view = EMPTY_VIEW;
  }

  return {
    getView: () => view,
    subscribe: (listener: () => void): (() => void) => {
      clearTimeout(closing);
      listeners.add(listener);
      connected ??= connectRange(() => options, onChange);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) closing = setTimeout(close);
      };
    },
    /** Takes over new options. If the range is another one, its list is loaded. `url` and the options of the connection stay. */
    update(next: AppointmentsOptions<A>): void {
      const isOtherRange = keyOf(next) !== keyOf(options);
      options = next;
      if (isOtherRange) void connected?.reload();
    },
    reload: async () => connected?.reload(),
    /** As `Dashboard.edit`. Without a connection it only calls `commit`. */
    edit: async <T>(id: Id, patch: AppointmentPatch<A>, commit: () => T | PromiseLike<T>): Promise<T> =>
      connected ? connected.dashboard.edit(id, patch, commit) : commit(),
  };
}

/** A dashboard that loads the list of the present range. */
interface RangeConnection<A> {
  dashboard: Dashboard<A>;
  /** The range of the list that is shown, see `keyOf`. */
  shownRange: string;
  /** True from the time when the token has another scope until the list of that scope is shown. */
  isEmptied: boolean;
  /** The last problem. */
  problem: unknown;
  /** Loads the list. If that fails, it is loaded again later. */
  reload: () => Promise<void>;
  close: () => void;
}

function connectRange<A extends { _id: Id }>(
  current: () => AppointmentsOptions<A>,
  onChange: () => void,
): RangeConnection<A> {
  let fetchedRange = '';
  let retry: ReturnType<typeof setTimeout> | undefined;
  const dashboard = connectDashboard<A>({
    ...current(),
    getToken: () => current().getToken(),
    loadSnapshot: async (token) => {
      const range = current();
      const list = await fetchAppointments<A>({ ...range, token, ...datesOf(range) });
      fetchedRange = keyOf(range);
      return list;
    },
  });
  const connection: RangeConnection<A> = {
    dashboard,
    shownRange: '',
    isEmptied: false,
    problem: undefined,
    async reload() {
      clearTimeout(retry);
      onChange();
      try {
        await dashboard.reload();
      } catch (error) {
        if (dashboard.state === 'closed') return;
        onProblem(error);
        clearTimeout(retry);
        retry = setTimeout(() => void connection.reload(), RETRY_MS);
      }
    },
    close() {
      clearTimeout(retry);
      dashboard.close();
    },
  };

  function onProblem(error: unknown): void {
    connection.problem = error;
    onChange();
  }

  for (const event of APPOINTMENT_EVENTS) dashboard.on(event, onChange);
  dashboard.on('edited', onChange);
  dashboard.on('appointments', () => {
    connection.shownRange = fetchedRange;
    if (fetchedRange === keyOf(current())) clearTimeout(retry);
    onChange();
  });
  dashboard.on('state', (_, reason) => {
    connection.isEmptied = reason === 'scope';
    onChange();
  });
  dashboard.on('problem', onProblem);
  return connection;
}

/** Returns a function that calls `run` in a microtask, once for all calls until then. */
export function createBatch(run: () => void): () => void {
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    queueMicrotask(() => {
      isPlanned = false;
      run();
    });
  };
}

function viewOf<A extends { _id: Id }>(
  { dashboard, shownRange, isEmptied, problem }: RangeConnection<A>,
  options: AppointmentsOptions<A>,
): AppointmentsView<A> {
  const { state, notLiveSince, appointments } = dashboard;
  return {
    appointments: rowsOf(appointments.values(), options),
    state,
    notLiveSince,
    isLoading: isEmptied || shownRange !== keyOf(options),
    problem: state === 'live' ? undefined : problem,
  };
}

function rowsOf<A extends { _id: Id }>(
  shown: Iterable<{ appointment: A }>,
  range: AppointmentRange,
): readonly A[] {
  const { from, to } = datesOf(range);
  const starts = new Map<A, number>();
  for (const { appointment } of shown) {
    const start = Date.parse(startOf(appointment) ?? '');
    if (start >= from.getTime() && start < to.getTime()) starts.set(appointment, start);
  }
  const order = ([a, startOfA]: [A, number], [b, startOfB]: [A, number]) =>
    startOfA - startOfB || (a._id < b._id ? -1 : 1);
  return [...starts].sort(order).map(([appointment]) => appointment);
}

/** Every snapshot has the field `start`, also with another model description. */
function startOf(appointment: object): string | null {
  return (appointment as { start?: string | null }).start ?? null;
}

function datesOf({ from, to }: AppointmentRange): { from: Date; to: Date } {
  return { from: new Date(from), to: new Date(to) };
}

function keyOf(range: AppointmentRange): string {
  const { from, to } = datesOf(range);
  return `${from.getTime()} ${to.getTime()}`;
}
