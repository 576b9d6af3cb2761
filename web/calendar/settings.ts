import { byId, create } from '../shared/elements.ts';
import { createStoredText } from './stored-text.ts';
import { isLocalDate, isTimeZone, type LocalDate } from '@appointment-emissions/contracts';

const storedTimeZone = createStoredText(() => localStorage, 'dashboard-time-zone');
const query = () => new URLSearchParams(location.search);

/** Returns the first valid time zone of: the address, the last visit, the company, this machine. */
export function chooseTimeZone(ofCompany: string | undefined): string {
  const candidates = [query().get('tz'), storedTimeZone.get(), ofCompany, ofMachine()];
  return candidates.find(isTimeZone) ?? 'UTC';
}

/** On some machines the browser reports a time zone that it does not support. */
function ofMachine(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Fills the list of time zones. The user's choice is stored for the next visit. */
export function fillTimeZones(chosen: string, onChoice: (timeZone: string) => void): void {
  const select = byId('time-zone', HTMLSelectElement);
  const names = new Set([chosen, 'UTC', ...Intl.supportedValuesOf('timeZone')]);
  for (const name of [...names].sort()) {
    const option = create('option', '', name.replaceAll('_', ' '));
    option.value = name;
    select.append(option);
  }
  select.value = chosen;
  select.addEventListener('change', () => {
    storedTimeZone.set(select.value);
    onChoice(select.value);
  });
}

/** Returns the date in the address, so that a reload or a shared link shows the same day. */
export function dateInAddress(): LocalDate | undefined {
  const date = query().get('date');
  return isLocalDate(date) ? date : undefined;
}

export function putDateInAddress(date: LocalDate | undefined): void {
  const address = new URL(location.href);
  if (date === undefined) address.searchParams.delete('date');
  else address.searchParams.set('date', date);
  try {
    history.replaceState(null, '', address);
  } catch {
    // Browsers reject this in a sandboxed frame, and if it is called too often. The page works without it.
  }
}
