/**
 * Adapters for RTK Query: a cache entry that follows the dashboard, and the invalidation of tags.
 *
 * @packageDocumentation
 */
import { APPOINTMENT_EVENTS, type AppointmentSnapshot, type Id } from '@appointment-emissions/contracts';
import { type AppointmentsOptions, createAppointmentsStore, createBatch } from './appointments-store.ts';
import { type Dashboard, type DashboardState, fetchAppointments } from '../index.ts';

export type { AppointmentRange, AppointmentsOptions } from './appointments-store.ts';

/** Data of a cache entry. It is serializable. */
export interface CachedAppointments<A = AppointmentSnapshot> {
  /** The appointments of the range, ordered by their start. */
  appointments: A[];
  state: DashboardState;
  /** Time up to which the appointments are known to be complete, in ISO 8601. Null while live. */
  notLiveSince: string | null;
  /** True if the dashboard's list is shown. Then a refetch changes nothing, since its reply may be older than the last event. */
  isFollowed: boolean;
}

/** Error of the query if the list cannot be loaded. It fits `fetchBaseQuery`, and `fakeBaseQuery<{ message: string }>()`. */
export interface FollowError {
  status: 'CUSTOM_ERROR';
  /** Name and message of the error, such as `ListError: the token has expired`. */
  error: string;
  /** As `error`. */
  message: string;
}

/** The part of RTK Query's cache lifecycle that is used. */
interface CacheLifecycle<Data> {
  cacheDataLoaded: Promise<unknown>;
  cacheEntryRemoved: Promise<void>;
  updateCachedData: (recipe: () => Data) => unknown;
}

/**
 * Endpoint of `createApi` whose cache entry follows the dashboard: the list is loaded, and each event patches it until the entry is
 * removed. Each entry has its own connection.
 *
 * @param optionsOf the options of `connectDashboard`, and the range, for the argument of the query
 * @example
 * ```ts
 * const api = createApi({
 *   baseQuery: fetchBaseQuery({ baseUrl }),
 *   endpoints: (build) => ({
 *     appointments: build.query<CachedAppointments, { from: string; to: string }>(
 *       followAppointments((range) => ({ url, getToken, ...range })),
 *     ),
 *   }),
 * });
 * const { data } = api.useAppointmentsQuery({ from, to });
 * ```
 */
export function followAppointments<Arg, A extends { _id: Id } = AppointmentSnapshot>(
  optionsOf: (arg: Arg) => AppointmentsOptions<A>,
) {
  type Data = CachedAppointments<A>;
  return {
    async queryFn(arg: Arg): Promise<{ data: Data } | { error: FollowError }> {
      const { getToken, from, to, ...options } = optionsOf(arg);
      try {
        const range = { from: new Date(from), to: new Date(to) };
        const list = await fetchAppointments<A>({ ...options, ...range, token: await getToken() });
        const appointments = list.appointments.map(({ appointment }) => appointment);
        return { data: { appointments, state: 'connecting', notLiveSince: null, isFollowed: false } };
      } catch (error) {
        const message = String(error);
        return { error: { status: 'CUSTOM_ERROR', error: message, message } };
      }
    },
    merge: (current: Data, fetched: Data): Data => (current.isFollowed ? current : fetched),
    async onCacheEntryAdded(
      arg: Arg,
      { cacheDataLoaded, cacheEntryRemoved, updateCachedData }: CacheLifecycle<Data>,
    ): Promise<void> {
      try {
        await cacheDataLoaded;
      } catch {
        return; // The entry was removed before it had data.
      }
      const store = createAppointmentsStore(optionsOf(arg));
      let isFollowed = false;
      const stop = store.subscribe(() => {
        const { appointments, state, notLiveSince, isLoading } = store.getView();
        // The dashboard's own list is requested after the entry's, so it is never older.
        if (isLoading && !isFollowed) return;
        isFollowed = true;
        updateCachedData(() => ({
          appointments: [...appointments],
          state,
          notLiveSince: notLiveSince?.toISOString() ?? null,
          isFollowed,
        }));
      });
      await cacheEntryRemoved;
      stop();
    },
  };
}

/**
 * Calls `invalidate` after each change of a dashboard, once for all changes that arrive together, with the ids of the changed
 * appointments; undefined if the list was loaded again, which can change any. Returns a function that ends it.
 *
 * A list does not have the tag of an appointment that is new or moves into it. It needs a tag for lists, such as `LIST`.
 *
 * @example
 * ```ts
 * const stop = invalidateOnChange(dashboard, (ids) => {
 *   const tags = ids && [...ids, 'LIST'].map((id) => ({ type: 'Appointment' as const, id }));
 *   store.dispatch(api.util.invalidateTags(tags ?? ['Appointment']));
 * });
 * ```
 */
export function invalidateOnChange<A extends { _id: Id }>(
  dashboard: Pick<Dashboard<A>, 'on'>,
  invalidate: (ids: Id[] | undefined) => void,
): () => void {
  let changed: Set<Id> | undefined = new Set();
  let hasEnded = false;
  const onChange = createBatch(() => {
    const ids = changed && [...changed];
    changed = new Set();
    if (!hasEnded) invalidate(ids);
  });

  function onEvent({ appointment }: { appointment: { _id: Id } }): void {
    changed?.add(appointment._id);
    onChange();
  }

  const stops = [
    ...APPOINTMENT_EVENTS.map((event) => dashboard.on(event, onEvent)),
    dashboard.on('appointments', () => {
      changed = undefined;
      onChange();
    }),
  ];
  return () => {
    hasEnded = true;
    for (const stop of stops) stop();
  };
}
