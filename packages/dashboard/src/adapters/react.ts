'use client';
/**
 * React hook for a company's appointments.
 *
 * @packageDocumentation
 */
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import {
  type AppointmentsOptions,
  type AppointmentsView,
  createAppointmentsStore,
  EMPTY_VIEW,
} from './appointments-store.ts';
import type { AppointmentPatch } from '../index.ts';

export type { AppointmentRange, AppointmentsOptions, AppointmentsView } from './appointments-store.ts';

/** What {@link useAppointments} returns. */
export interface Appointments<A = AppointmentSnapshot> extends AppointmentsView<A> {
  /** Loads the list again, for example if the state is `reload-needed`. It is retried until it succeeds. */
  reload: () => Promise<void>;
  /**
   * Shows new values of an appointment at once, and calls `commit`, which saves them. It is the same function in each rendering, and
   * resolves to the result of `commit`. If `commit` rejects, the edit is rolled back. See `Dashboard.edit`.
   *
   * @example
   * ```tsx
   * const checkIn = () => edit(id, { status: 'checked_in' }, () => api.checkIn(id)).catch(showError);
   * ```
   */
  edit: <T>(id: Id, patch: AppointmentPatch<A>, commit: () => T | PromiseLike<T>) => Promise<T>;
}

/**
 * Shows the appointments of a range and keeps them up to date: it opens a connection while the component is mounted, and loads the
 * list again if the range changes. Each call has its own connection, so call it once per page and pass the result on.
 *
 * `from`, `to` and `getToken` may change with each rendering. Other options are read when the connection is opened;
 * another `url` or `basePath` opens another one. For another company give the component another `key`.
 *
 * @example
 * ```tsx
 * function Day({ from, to }: { from: string; to: string }) {
 *   const { appointments, state, isLoading } = useAppointments({ url, getToken, from, to });
 *   if (isLoading) return <p>Loading…</p>;
 *   return <ul data-state={state}>{appointments.map((one) => <li key={one._id}>{one.petId?.name}</li>)}</ul>;
 * }
 * ```
 * @typeParam A the type of the snapshots, see `connectDashboard`
 */
export function useAppointments<A extends { _id: Id } = AppointmentSnapshot>(
  options: AppointmentsOptions<A>,
): Appointments<A> {
  const address = `${String(options.url)} ${options.basePath ?? ''}`;
  const store = useMemo(() => createAppointmentsStore(options), [address]);
  // This effect runs before `useSyncExternalStore` subscribes, so the connection opens with the options of this rendering.
  useEffect(() => {
    store.update(options);
  });
  const view = useSyncExternalStore<AppointmentsView<A>>(store.subscribe, store.getView, () => EMPTY_VIEW);
  return { ...view, reload: store.reload, edit: store.edit };
}
