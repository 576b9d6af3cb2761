import { useCallback, useState } from 'react';
import { useAppointments } from '@appointment-emissions/dashboard/react';
import { Calendar, type Range } from './calendar';

/** The week of the calendar, kept up to date: the hook loads the range and follows the events. */
export function App({ tokenUrl }: { tokenUrl: string }) {
  const [range, setRange] = useState<Range>(thisWeek);
  const getToken = useCallback(() => requestToken(tokenUrl), [tokenUrl]);
  const { appointments, state, notLiveSince, isLoading, problem, reload } = useAppointments({
    url: '/',
    getToken,
    ...range,
  });
  return (
    <main>
      <header>
        <h1>Appointments</h1>
        <p id="state" data-state={state} role="status">
          {state === 'live'
            ? 'Live'
            : notLiveSince
              ? `Not live since ${notLiveSince.toLocaleTimeString()}`
              : 'Connecting…'}
        </p>
        {state === 'reload-needed' && <button onClick={() => void reload()}>Reload</button>}
      </header>
      {problem !== undefined && <p role="alert">{String(problem)} It will be tried again.</p>}
      <div aria-busy={isLoading}>
        <Calendar appointments={appointments} onRange={setRange} />
      </div>
    </main>
  );
}

async function requestToken(url: string): Promise<string> {
  const reply = await fetch(url, { method: 'POST' });
  if (!reply.ok) throw new Error(`No token: POST ${url} replied with status ${reply.status}.`);
  const { token } = (await reply.json()) as { token: string };
  return token;
}

/** From Monday to the next Monday, until the calendar names its own range. */
function thisWeek(): Range {
  const from = new Date();
  from.setHours(0, 0, 0, 0);
  from.setDate(from.getDate() - ((from.getDay() + 6) % 7));
  const to = new Date(from);
  to.setDate(to.getDate() + 7);
  return { from, to };
}
