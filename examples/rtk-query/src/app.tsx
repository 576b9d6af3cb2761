import { useSyncExternalStore } from 'react';
import type { AppointmentSnapshot } from '@appointment-emissions/dashboard';
import { type Range, useAppointmentsQuery, useFollowedAppointmentsQuery } from './api';
import { useInvalidation } from './use-invalidation';

const DAY_MS = 24 * 3_600_000;
const startOfToday = new Date(new Date().setHours(0, 0, 0, 0)).getTime();
/** Today and the six days that follow. */
const RANGE: Range = {
  from: new Date(startOfToday).toISOString(),
  to: new Date(startOfToday + 7 * DAY_MS).toISOString(),
};

/** The same list in both ways, of which an application needs one. The address chooses: `#follow`, else the invalidation. */
export function App() {
  const hash = useSyncExternalStore(onHashChange, () => location.hash);
  return (
    <main>
      <h1>Appointments</h1>
      <nav>
        <a href="#invalidate">Invalidate a tag</a> <a href="#follow">Follow the events</a>
      </nav>
      {hash === '#follow' ? <Followed /> : <Invalidated />}
    </main>
  );
}

function onHashChange(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

/** Each change makes the query refetch. */
function Invalidated() {
  const state = useInvalidation(RANGE);
  const { data = [], isError } = useAppointmentsQuery(RANGE);
  return <List rows={data} state={state} isError={isError} />;
}

/** Each change patches the cache entry. */
function Followed() {
  const { data, isError } = useFollowedAppointmentsQuery(RANGE);
  return <List rows={data?.appointments ?? []} state={data?.state ?? 'connecting'} isError={isError} />;
}

interface ListProps {
  rows: readonly AppointmentSnapshot[];
  state: string;
  isError: boolean;
}

function List({ rows, state, isError }: ListProps) {
  return (
    <>
      <p id="state" data-state={state} role="status">
        {state === 'live' ? 'Live' : 'Not live'}
      </p>
      {isError && (
        <p role="alert">
          The list cannot be loaded. Does the API run at API_URL, and does VITE_TOKEN_URL reply?
        </p>
      )}
      <ul>
        {rows.map(({ _id, start, status, petId, customerId }) => (
          <li key={_id} id={`a${_id}`} data-status={status}>
            {start && new Date(start).toLocaleString()} · <bdi>{petId?.name ?? 'no pet'}</bdi> ·{' '}
            <bdi>{customerId?.fullName ?? 'no customer'}</bdi> · {status}
          </li>
        ))}
      </ul>
    </>
  );
}
